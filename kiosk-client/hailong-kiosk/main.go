// Command hailong-kiosk is the touchscreen at a counter: it serves the screen to a browser on the same machine, keeps every
// rating, and sends them when there is a network. Without a command it serves; see `hailong-kiosk help`.
package main

import (
	"os"

	kiosk "github.com/hailong-vn/hailong/kiosk-client"
)

func main() { os.Exit(kiosk.Main(os.Args[1:])) }
