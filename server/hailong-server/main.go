// Command hailong-server collects ratings, keeps figures and answers for them. Without a command it serves; see
// `hailong-server help`.
package main

import (
	"os"

	"github.com/hailong-vn/hailong/server"
)

func main() { os.Exit(server.Main(os.Args[1:])) }
