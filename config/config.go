// Package config holds the CRDs and presets that ship with OA Bridge, for commands that work without a cluster.
package config

import "embed"

// Files are crd/bases/*.yaml and presets/*.yaml.
//
//go:embed crd/bases/*.yaml presets/*.yaml
var Files embed.FS
