package uplink

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAMachineIsNamedByWhatIsSolderedToIt(t *testing.T) {
	machine := func(files map[string]string) string {
		t.Helper()
		root := t.TempDir()
		for name, content := range files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return machineID(root)
	}
	const uuid, port = "sys/class/dmi/id/product_uuid", "sys/class/net/eth0/"
	one := machine(map[string]string{uuid: "4C4C4544-0042-3510\n", "etc/machine-id": "a"})
	ports := map[string]string{port + "device/x": "", port + "addr_assign_type": "0\n", port + "address": "00:11:22:33:44:55\n"}
	for name, test := range map[string]struct {
		files map[string]string
		same  bool
	}{
		"the same, with another disk":          {map[string]string{uuid: "4c4c4544-0042-3510", "etc/machine-id": "b"}, true},
		"with another network card":            {map[string]string{uuid: "4c4c4544-0042-3510", port + "device/x": "", port + "addr_assign_type": "0", port + "address": "00:11:22:33:44:66"}, true},
		"another board":                        {map[string]string{uuid: "4C4C4544-0042-9999"}, false},
		"a board without a name, by its ports": {ports, false},
	} {
		if got := machine(test.files); (got == one) != test.same || len(got) != 32 {
			t.Errorf("%s: %q, the first is %q", name, got, one)
		}
	}
	for name, files := range map[string]map[string]string{
		"nothing can be read":             {"etc/machine-id": "a"},
		"what makers forget to fill in":   {uuid: "03000200-0400-0500-0006-000700080009", "sys/class/dmi/id/board_serial": "Default string", "sys/class/dmi/id/product_serial": "0"},
		"an address made up by a program": {port + "device/x": "", port + "addr_assign_type": "3", port + "address": "02:11:22:33:44:55"},
	} {
		if got := machine(files); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
