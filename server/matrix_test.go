package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// TestRoleMatrix holds every call of the contract against the matrix of roles, cell by cell: as each role, as nobody, over gRPC and as
// JSON. A call that nobody assigned an action fails the test.
func TestRoleMatrix(t *testing.T) {
	s := start(t, Config{})
	admin := s.admin()
	callers := map[string]identity.Caller{"nobody": identity.Anonymous("127.0.0.1")}
	tokens := map[string]string{}
	for number, name := range pb.Role_name {
		role := pb.Role(number)
		if role == pb.Role_ROLE_UNSPECIFIED {
			continue
		}
		account := "người " + strings.ToLower(name)
		if _, err := s.identity().CreateAccount(admin, &pb.CreateAccountRequest{Name: account, Password: rolePassword, Role: role}); err != nil {
			t.Fatal(err)
		}
		session, err := s.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: account, Password: rolePassword})
		if err != nil {
			t.Fatal(err)
		}
		callers[name], tokens[name] = identity.Caller{Kind: identity.CallerAccount, Role: role}, session.GetToken()
	}
	cells := 0
	for _, method := range contractMethods() {
		name := fmt.Sprintf("%s.%s", method.Parent().Name(), method.Name())
		action, decided := methodActions[name]
		if !decided {
			t.Errorf("%s: nobody decided which action it needs", name)
			continue
		}
		if action == anybody || action == signedIn || action == aDevice {
			continue
		}
		request := filled(method.Input(), 0)
		if change := matrixRequests[name]; change != "" {
			more := dynamicpb.NewMessage(method.Input())
			if err := protojson.Unmarshal([]byte(change), more); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			proto.Merge(request, more)
		}
		if err := protovalidate.Validate(request); err != nil {
			t.Errorf("%s: the request made for it is not valid: %v", name, err)
			continue
		}
		for caller, who := range callers {
			may := slices.ContainsFunc(strings.Split(action, "|"), func(one string) bool { return who.May(identity.Action(one)) })
			if may && method.IsStreamingServer() {
				continue // it would wait for something to happen
			}
			cells++
			ctx := t.Context()
			if tokens[caller] != "" {
				ctx = bearer(ctx, tokens[caller])
			}
			if refused := reasonOf(s.invoke(ctx, method, request)); refusedBy(refused) == may {
				t.Errorf("gRPC %s as %s: may = %v, answered %q", name, caller, may, refused)
			}
			verb, path, body, ok := httpCall(method, request)
			if !ok {
				continue
			}
			cells++
			if refused := s.refusedJSON(verb, path, tokens[caller], body); refusedBy(refused) == may {
				t.Errorf("%s %s as %s: may = %v, answered %q", verb, path, caller, may, refused)
			}
		}
	}
	t.Logf("%d cells of %d calls", cells, len(contractMethods()))
}

// refusedBy tells whether a reason is that of a caller who may not.
func refusedBy(reason string) bool { return reason == "action_denied" || reason == "sign_in_needed" }

// contractMethods are all calls of the contract.
func contractMethods() []protoreflect.MethodDescriptor {
	var methods []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage("hailong.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				methods = append(methods, service.Methods().Get(j))
			}
		}
		return true
	})
	slices.SortFunc(methods, func(a, b protoreflect.MethodDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	return methods
}

// filled makes a message that the rules of the contract allow, with as little in it as they do.
func filled(of protoreflect.MessageDescriptor, depth int) *dynamicpb.Message {
	message := dynamicpb.NewMessage(of)
	for i := range of.Fields().Len() {
		field := of.Fields().Get(i)
		rules, err := protovalidate.ResolveFieldRules(field)
		if err != nil || rules == nil {
			continue
		}
		if field.IsList() {
			if least := rules.GetRepeated().GetMinItems(); least > 0 {
				list := message.Mutable(field).List()
				for range least {
					list.Append(filledValue(field, rules.GetRepeated().GetItems(), depth))
				}
			}
			continue
		}
		if value := filledValue(field, rules, depth); value.IsValid() {
			message.Set(field, value)
		}
	}
	return message
}

func filledValue(field protoreflect.FieldDescriptor, rules *validate.FieldRules, depth int) protoreflect.Value {
	switch field.Kind() { //nolint:exhaustive // others need nothing
	case protoreflect.StringKind:
		if in := rules.GetString().GetIn(); len(in) > 0 {
			return protoreflect.ValueOfString(in[len(in)-1])
		}
		switch {
		case rules.GetString().GetUuid():
			return protoreflect.ValueOfString("0192f3a4-5b6c-7d8e-9f00-112233445566")
		case rules.GetString().GetLen() == 10:
			return protoreflect.ValueOfString("2026-01-31")
		}
		return protoreflect.ValueOfString(strings.Repeat("x", int(rules.GetString().GetMinLen()))) //nolint:gosec // a few characters
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(bytes.Repeat([]byte{1}, int(max(rules.GetBytes().GetMinLen(), rules.GetBytes().GetLen())))) //nolint:gosec // a few bytes
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(rules.GetInt32().GetGte())
	case protoreflect.MessageKind:
		if depth < 4 && (rules.GetRequired() || field.IsList()) {
			return protoreflect.ValueOfMessage(filled(field.Message(), depth+1))
		}
	}
	return protoreflect.Value{}
}

func (s *running) invoke(ctx context.Context, method protoreflect.MethodDescriptor, request proto.Message) error {
	path := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	answer := dynamicpb.NewMessage(method.Output())
	if !method.IsStreamingClient() && !method.IsStreamingServer() {
		return s.conn.Invoke(ctx, path, request, answer)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: method.IsStreamingServer(), ClientStreams: method.IsStreamingClient()}, path)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request); err != nil && err != io.EOF { //nolint:errorlint // EOF is the bare value; the reason comes with RecvMsg
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(answer)
}

// reasonOf is the stable reason of an error; "" where there is none.
func reasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

var pathField = regexp.MustCompile(`\{([a-z_.]+)[^}]*\}`)

// httpCall is a call as JSON.
func httpCall(method protoreflect.MethodDescriptor, request *dynamicpb.Message) (verb, path, body string, ok bool) {
	rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		verb, path = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Post:
		verb, path = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Put:
		verb, path = http.MethodPut, pattern.Put
	case *annotations.HttpRule_Patch:
		verb, path = http.MethodPatch, pattern.Patch
	case *annotations.HttpRule_Delete:
		verb, path = http.MethodDelete, pattern.Delete
	default:
		return "", "", "", false
	}
	encoded, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(request)
	if err != nil {
		return "", "", "", false
	}
	fields := map[string]any{}
	_ = json.Unmarshal(encoded, &fields) // it was written just here
	path = pathField.ReplaceAllStringFunc(path, func(found string) string {
		name := pathField.FindStringSubmatch(found)[1]
		value := ""
		at := fields
		parts := strings.Split(name, ".")
		for i, part := range parts {
			if i == len(parts)-1 {
				if value = fmt.Sprint(at[part]); at[part] == nil {
					value = "0"
				}
				delete(at, part)
				break
			}
			at, _ = at[part].(map[string]any)
		}
		return url.PathEscape(value)
	})
	if verb == http.MethodGet || verb == http.MethodDelete {
		query := url.Values{}
		for name, value := range fields {
			if text, ok := value.(string); ok {
				query.Set(name, text)
			} else if number, ok := value.(float64); ok {
				query.Set(name, fmt.Sprint(number))
			}
		}
		if len(query) > 0 {
			path += "?" + query.Encode()
		}
		return verb, path, "", true
	}
	left, _ := json.Marshal(fields)
	if rule.GetBody() != "*" {
		left, _ = json.Marshal(fields[rule.GetBody()])
	}
	return verb, path, string(left), true
}

// refusedJSON answers the reason of a JSON call's error.
func (s *running) refusedJSON(verb, path, token, body string) string {
	_, answer := s.json(verb, path, token, body)
	if failed, ok := answer["error"].(map[string]any); ok { // of a stream
		answer = failed
	}
	details, _ := answer["details"].([]any)
	for _, one := range details {
		if detail, ok := one.(map[string]any); ok && detail["reason"] != nil {
			return fmt.Sprint(detail["reason"])
		}
	}
	return ""
}
