// Command protodeps writes the .proto files that the contract imports into a folder, from the descriptors
// linked into the pinned Go modules: no schema registry is asked, and nothing foreign is kept in the tree.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate" // buf/validate/validate.proto
	_ "google.golang.org/genproto/googleapis/api/annotations"                   // google/api/annotations.proto
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: protodeps FOLDER")
		os.Exit(2)
	}
	for _, name := range []string{
		"buf/validate/validate.proto",
		"google/api/annotations.proto",
		"google/api/http.proto",
	} {
		if err := write(os.Args[1], name); err != nil {
			fmt.Fprintln(os.Stderr, "protodeps:", err)
			os.Exit(1)
		}
	}
}

func write(folder, name string) error {
	file, err := protoregistry.GlobalFiles.FindFileByPath(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	text, err := (&protoprint.Printer{}).PrintProtoToString(protoreflect.FileDescriptor(file))
	if err != nil {
		return fmt.Errorf("print %s: %w", name, err)
	}
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
