// Package release tells what a program was built from.
package release

import (
	"runtime/debug"
	"strings"
)

// Version is the version this program was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	version := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 && !strings.Contains(version, setting.Value[:12]) {
			version += " " + setting.Value[:12]
		}
	}
	return version
}
