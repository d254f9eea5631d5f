package cases

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// part is how much of a file goes in one message.
const part = 256 << 10

// takeFiles stores the files that came with a form and adds them to the explanation. wrong says which could not be taken, and why.
func (p pages) takeFiles(v *web.Visit, into *pb.Explanation) (wrong string, err error) {
	if v.R.MultipartForm == nil {
		return "", nil
	}
	var refused []string
	for _, header := range v.R.MultipartForm.File["files"] {
		if header.Filename == "" {
			continue
		}
		if len(into.GetAttachments()) >= maxFiles {
			refused = append(refused, v.Text("fault.casework_explanation_attachments", "limit", maxFiles))
			break
		}
		stored, err := upload(v, header)
		if words, mendable := web.Message(err); err != nil && mendable {
			refused = append(refused, words)
			continue
		}
		if err != nil {
			return "", err
		}
		into.Attachments = append(into.Attachments, stored)
	}
	return strings.Join(refused, " "), nil
}

func upload(v *web.Visit, header *multipart.FileHeader) (*pb.Attachment, error) {
	file, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	stream, err := v.Cases.UploadAttachment(v.Context())
	if err != nil {
		return nil, err
	}
	kind, _, _ := mime.ParseMediaType(header.Header.Get("Content-Type"))
	request := &pb.UploadAttachmentRequest{CaseId: v.R.PathValue("case"), Name: baseName(header.Filename), Type: kind}
	for buffer := make([]byte, part); ; {
		n, read := io.ReadFull(file, buffer)
		request.Content = buffer[:n]
		if err := stream.Send(request); err != nil {
			break // what is wrong with it is in the answer
		}
		if read != nil {
			if !errors.Is(read, io.EOF) && !errors.Is(read, io.ErrUnexpectedEOF) {
				return nil, read
			}
			break
		}
		request = &pb.UploadAttachmentRequest{}
	}
	return stream.CloseAndRecv()
}

// baseName is a file's name without the folders that some browsers send with it.
func baseName(name string) string {
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	return cut(name, 300)
}

// file answers a file to be saved: it is never shown by the browser as a page of this site.
func (p pages) file(v *web.Visit) error {
	stream, err := v.Cases.DownloadAttachment(v.Context(), &pb.DownloadAttachmentRequest{CaseId: v.R.PathValue("case"), AttachmentId: v.R.PathValue("file")})
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return status.Error(codes.NotFound, "")
	}
	if err != nil {
		return err
	}
	head := v.W.Header()
	head.Set("Content-Type", first.GetAttachment().GetType())
	head.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": first.GetAttachment().GetName()}))
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	for {
		if _, err := v.W.Write(first.GetContent()); err != nil {
			return nil //nolint:nilerr // nobody reads it any more
		}
		if first, err = stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			panic(http.ErrAbortHandler) // half a file must not be taken for whole
		}
	}
}
