package uplink

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// MachineID names the machine by what is soldered to it, so that a copied disk is noticed: the board's UUID and serial number, a
// processor's serial number (arm boards), and the addresses built into its network ports. /etc/machine-id is not among them:
// it is on the disk and copied with it. Parts that cannot be read are left out (the UUID and serial numbers of a PC can be read by root
// alone); where nothing can be read it is empty, and only the server notices copies, by their taking turns. It is a hash, so that no serial number leaves the
// machine. Exchanging the board or adding a network card makes another machine of it, which is enrolled again with a code; adapters that
// can be unplugged do not count.
func MachineID() string { return machineID("/") }

func machineID(root string) string {
	var parts []string
	add := func(kind, value string) {
		value = strings.ToLower(strings.Trim(strings.TrimSpace(value), "\x00"))
		if !meansNothing(value) {
			parts = append(parts, kind+"="+value)
		}
	}
	read := func(path string) string {
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || len(data) > 4096 {
			return ""
		}
		return string(data)
	}
	for _, name := range []string{"product_uuid", "product_serial", "board_serial"} {
		add(name, read("sys/class/dmi/id/"+name))
	}
	add("device_tree", read("proc/device-tree/serial-number"))
	if runtime.GOARCH == "arm" || runtime.GOARCH == "arm64" {
		for line := range strings.Lines(read("proc/cpuinfo")) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "Serial" {
				add("cpu", value)
			}
		}
	}
	// The strongest that can be read is enough. With less, ports are all there is; they count only then, for they may be exchanged.
	if len(parts) == 0 {
		for _, address := range portAddresses(root) {
			add("port", address)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte("hailong.v1.Machine\x00" + strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16])
}

// portAddresses are the hardware addresses of network ports on the machine's own buses, in order.
func portAddresses(root string) []string {
	entries, err := os.ReadDir(filepath.Join(root, "sys/class/net"))
	if err != nil {
		return nil
	}
	var addresses []string
	for _, e := range entries {
		folder := filepath.Join(root, "sys/class/net", e.Name())
		device, err := filepath.EvalSymlinks(filepath.Join(folder, "device"))
		if err != nil || strings.Contains(device, "/usb") || strings.Contains(device, "/virtio") {
			continue // a bridge or tunnel has no device; what hangs on USB comes and goes
		}
		kind, err := os.ReadFile(filepath.Join(folder, "addr_assign_type"))
		if err != nil || strings.TrimSpace(string(kind)) != "0" { // 0 = built in (sysfs-class-net)
			continue
		}
		if address, err := os.ReadFile(filepath.Join(folder, "address")); err == nil {
			addresses = append(addresses, strings.TrimSpace(string(address)))
		}
	}
	slices.Sort(addresses)
	return addresses
}

// meansNothing knows what makers write where they forgot to write something.
func meansNothing(value string) bool {
	switch value {
	case "", "none", "default string", "to be filled by o.e.m.", "to be filled by o.e.m", "not specified", "not applicable", "system serial number",
		"03000200-0400-0500-0006-000700080009", "00:00:00:00:00:00":
		return true
	}
	return strings.Trim(value, "0-") == "" || strings.Trim(value, "f-") == ""
}
