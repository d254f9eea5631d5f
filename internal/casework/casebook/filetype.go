package casebook

import (
	"archive/zip"
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // the formats that may be attached
	_ "image/png"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
)

// Limits of what is inside an office document.
const (
	maxParts    = 5000
	maxUnpacked = 300 << 20 // bytes, all parts together as they say of themselves
	maxList     = 4 << 20   // of [Content_Types].xml
)

// typeOf is the media type a name asks for; "" where it is none that may be attached.
func typeOf(name string) string {
	ending := strings.ToLower(path.Ext(strings.TrimSpace(name)))
	for media, endings := range casework.AttachmentTypes() {
		if slices.Contains(endings, ending) {
			return media
		}
	}
	return ""
}

// readFile reads all of a file and refuses it as soon as it cannot be what it says.
func readFile(r io.Reader, name, media string) ([]byte, error) {
	disguised := fault.New(fault.Invalid, "casebook_file_disguised", "name", name)
	head := make([]byte, 512)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:n]
	tooLarge := fault.New(fault.Invalid, "casework_attachment_size", "name", name, "limit", casework.MaxAttachmentSize>>20)
	if n == 0 {
		return nil, tooLarge
	}
	if !begins(head, media) {
		return nil, disguised
	}
	rest, err := io.ReadAll(io.LimitReader(r, casework.MaxAttachmentSize-int64(n)+1))
	if err != nil {
		return nil, err
	}
	content := slices.Concat(head, rest)
	if len(content) > casework.MaxAttachmentSize {
		return nil, tooLarge
	}
	switch {
	case strings.HasPrefix(media, "image/"):
		if _, format, err := image.DecodeConfig(bytes.NewReader(content)); err != nil || "image/"+format != media {
			return nil, fault.New(fault.Invalid, "casebook_file_damaged", "name", name)
		}
	case strings.HasPrefix(media, "application/vnd.openxmlformats"):
		if err := checkOffice(content, name, media); err != nil {
			return nil, err
		}
	}
	return content, nil
}

// begins tells whether bytes begin as a file of the type does.
func begins(head []byte, media string) bool {
	switch found := http.DetectContentType(head); {
	case strings.HasPrefix(media, "application/vnd.openxmlformats"):
		return found == "application/zip"
	default:
		return found == media
	}
}

// checkOffice looks into a document of Word or Excel: it must be one, and hold nothing that runs.
func checkOffice(content []byte, name, media string) error {
	wrong := func(reason string) error { return fault.New(fault.Invalid, reason, "name", name) }
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(archive.File) > maxParts {
		return wrong("casebook_file_damaged")
	}
	main := "word/document.xml"
	if strings.HasSuffix(media, "spreadsheetml.sheet") {
		main = "xl/workbook.xml"
	}
	var unpacked uint64
	var list *zip.File
	found := false
	for _, part := range archive.File {
		if unpacked += part.UncompressedSize64; unpacked > maxUnpacked {
			return wrong("casebook_file_damaged")
		}
		switch lower := strings.ToLower(strings.ReplaceAll(part.Name, `\`, "/")); {
		case lower == main:
			found = true
		case part.Name == "[Content_Types].xml":
			list = part
		case strings.Contains(lower, "vbaproject"), strings.Contains(lower, "vbadata"), strings.Contains(lower, "activex"), strings.Contains(lower, "xlm"), strings.Contains(lower, "macrosheets"):
			return wrong("casebook_file_macros")
		case runs(lower), strings.Contains(lower, "../"), strings.HasPrefix(lower, "/"), strings.Contains(lower, "oleobject"):
			return wrong("casebook_file_disguised")
		}
	}
	if !found || list == nil {
		return wrong("casebook_file_disguised")
	}
	r, err := list.Open()
	if err != nil {
		return wrong("casebook_file_damaged")
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(io.LimitReader(r, maxList))
	if err != nil {
		return wrong("casebook_file_damaged")
	}
	if lower := bytes.ToLower(text); bytes.Contains(lower, []byte("macroenabled")) || bytes.Contains(lower, []byte("vbaproject")) {
		return wrong("casebook_file_macros")
	}
	return nil
}

// runs tells by its name whether a part of an archive is a program.
func runs(name string) bool {
	return slices.Contains([]string{
		".exe", ".dll", ".com", ".scr", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".hta", ".jar", ".msi", ".lnk", ".sh", ".elf", ".so", ".app", ".apk",
	}, path.Ext(name))
}
