// Package chart renders charts/oabridge and config/default, so that tests can hold them against each other, against the API
// server, and against what was rendered before.
package chart
