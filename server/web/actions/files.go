package actions

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// attachment is a file as it is shown.
type attachment struct {
	*pb.Attachment
	Link, Kind, Bytes string
}

func attachmentsOf(v *web.Visit, action string, list []*pb.Attachment) []attachment {
	var shown []attachment
	for _, a := range list {
		bytes := v.Text("casespage.kilobytes", "n", v.Language.Number(float64(max(a.GetSize(), 1<<10))/(1<<10), 0))
		if a.GetSize() >= 1<<20 {
			bytes = v.Text("casespage.megabytes", "n", v.Language.Number(float64(a.GetSize())/(1<<20), 1))
		}
		kind := strings.ToUpper(a.GetName()[strings.LastIndex(a.GetName(), ".")+1:])
		shown = append(shown, attachment{a, link(action) + "/files/" + url.PathEscape(a.GetId()), kind, bytes})
	}
	return shown
}

// File is a file of the form as its hidden field has it.
func (a attachment) File() string {
	text, _ := json.Marshal(fileField{a.GetId(), a.GetName(), a.GetType(), a.GetSize()}) // it always can
	return string(text)
}

type fileField struct {
	ID, Name, Type string
	Size           int64
}

// maxFiles is how many files go with a report.
const maxFiles = 10

// sentFiles are those that a form holds already, without the one that is to be removed.
func sentFiles(sent typed) []*pb.Attachment {
	var list []*pb.Attachment
	for _, text := range sent.values("file") {
		var f fileField
		if json.Unmarshal([]byte(text), &f) == nil && f.ID != "" && f.ID != sent.value("remove") && len(list) < maxFiles {
			list = append(list, &pb.Attachment{Id: f.ID, Name: f.Name, Type: f.Type, Size: f.Size})
		}
	}
	return list
}

// takeFiles stores the files that came with a form, each alone, and answers them after those it holds. wrong says which could not be
// taken, and why.
func takeFiles(v *web.Visit, list []*pb.Attachment) (all []*pb.Attachment, wrong string, err error) {
	if v.R.MultipartForm == nil {
		return list, "", nil
	}
	var refused []string
	for _, header := range v.R.MultipartForm.File["files"] {
		if header.Filename == "" {
			continue
		}
		if len(list) >= maxFiles {
			refused = append(refused, v.Text("fault.casework_explanation_attachments", "limit", maxFiles))
			break
		}
		stored, err := upload(v, header)
		if words, mendable := web.Message(err); err != nil && mendable {
			refused = append(refused, words)
			continue
		}
		if err != nil {
			return list, "", err
		}
		list = append(list, stored)
	}
	return list, strings.Join(refused, " "), nil
}

// part is how much of a file goes in one message.
const part = 256 << 10

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
	name := header.Filename
	if at := strings.LastIndexAny(name, `/\`); at >= 0 { // some browsers send the folders with it
		name = name[at+1:]
	}
	kind, _, _ := mime.ParseMediaType(header.Header.Get("Content-Type"))
	request := &pb.UploadAttachmentRequest{ActionId: v.R.PathValue("action"), Name: cut(name, 300), Type: cut(kind, 100)}
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

// file answers a file to be saved: it is never shown by the browser as a page of this site.
func (p pages) file(v *web.Visit) error {
	stream, err := v.Cases.DownloadAttachment(v.Context(), &pb.DownloadAttachmentRequest{ActionId: v.R.PathValue("action"), AttachmentId: v.R.PathValue("file")})
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
