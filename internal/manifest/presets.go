package manifest

import (
	"io/fs"
	"path"

	"github.com/oabridge/oabridge/config"
)

// Presets are the ScenarioTemplates that ship with OA Bridge. Their namespace is "presets".
func Presets() ([]*Object, error) {
	files, err := fs.Glob(config.Files, "presets/*.yaml")
	if err != nil {
		return nil, err
	}
	var presets []*Object
	for _, file := range files {
		data, err := config.Files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found, err := parse(path.Join("config", file), data)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			o.Namespace = "presets"
		}
		presets = append(presets, found...)
	}
	return presets, nil
}

// PresetText returns the file of a preset as it ships, with its comments.
func PresetText(preset *Object) ([]byte, error) {
	return config.Files.ReadFile(path.Join("presets", path.Base(preset.File)))
}
