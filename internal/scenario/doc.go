// Package scenario turns what happened to a CRM item into the request that tells an OA, and the OA's answer into a
// verdict.
//
// A template is text with three kinds of token (text.go): plain text, placeholders that take data of the item (#F012)
// and parameters that a connector fills in (${name}). Instantiate fills the parameters in, once, when a bundle is
// compiled. New parses the result, once, when a workload loads it. Render then only appends: literal bytes and encoded
// values.
//
// Rendering is structure-safe: a body is parsed as JSON first and values are put into its string leaves, so whatever
// the data holds, it stays in its string, its header value, its URL segment or its query value (F23, F26, F30).
package scenario
