package server

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/audit"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
)

// callAtMachine makes any call of the contract at the machine, with the rights of the program itself, so that whatever a page
// or a program can do can be done here too: `call ListAudit`, `call CreateUnit '{"unit": {…}}'`, `call PublishQuestionnaire @call.json`.
func callAtMachine(ctx context.Context, t *terminal, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		t.say("call.usage")
		return errUsage
	}
	given := func(word string) bool { return strings.HasPrefix(word, "{") || strings.HasPrefix(word, "@") }
	if !slices.ContainsFunc(args[1:], given) {
		args = slices.Insert(slices.Clone(args), 1, "{}")
	}
	return administer(ctx, t, "call METHOD JSON", args, nil, func(a *application, words []string) error {
		text, err := callText(words[1])
		if err != nil {
			return err
		}
		answer, err := a.callHere(context.WithValue(ctx, languageKey, t.Language), words[0], text)
		if err != nil {
			return err
		}
		return t.tell(protojson.MarshalOptions{UseProtoNames: true, Multiline: true}.Format(answer))
	})
}

// callText is the request's JSON: as it stands, or from a file, "@call.json".
func callText(word string) ([]byte, error) {
	name, isFile := strings.CutPrefix(word, "@")
	if !isFile {
		return []byte(word), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "file_unreadable", "file", name).Because(err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxMessageBytes+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "file_unreadable", "file", name).Because(err)
	}
	if len(text) > maxMessageBytes {
		return nil, fault.New(fault.Invalid, "call_too_long", "limit", maxMessageBytes)
	}
	return text, nil
}

// callHere makes a call within this process, judged as any other; ctx says in which language.
func (a *application) callHere(ctx context.Context, name string, text []byte) (proto.Message, error) {
	// What these start ends with this program.
	if verb, ok := map[string]string{"StartImport": "import ratings", "StartReconcile": "reconcile"}[name]; ok {
		return nil, fault.New(fault.Invalid, "call_has_verb", "verb", verb)
	}
	var names []string
	for _, s := range a.services() {
		for _, method := range s.desc.Methods {
			if method.MethodName != name {
				names = append(names, method.MethodName)
				continue
			}
			ctx = context.WithValue(ctx, callerKey, identity.System())
			answer, err := method.Handler(s.handler, ctx, func(request any) error {
				if err := protojson.Unmarshal(text, request.(proto.Message)); err != nil {
					return fault.New(fault.Invalid, "call_json_invalid").Because(err)
				}
				return nil
			}, func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
				return a.judgedHere(ctx, name, request, handler)
			})
			if err != nil {
				return nil, err
			}
			return answer.(proto.Message), nil
		}
	}
	slices.Sort(names)
	return nil, fault.New(fault.NotFound, "call_unknown", "method", name, "methods", strings.Join(names, "\n  "))
}

// judgedHere holds a call at the machine to the rules of the contract, and puts what it changes into the audit, without a name: who sat
// there is the system's own knowledge.
func (a *application) judgedHere(ctx context.Context, name string, request any, handler grpc.UnaryHandler) (any, error) {
	if err := a.validate(ctx, request); err != nil {
		return nil, err
	}
	response, err := handler(ctx, request)
	if !reads(name) || personal[name] {
		a.audit.Add(ctx, audit.Entry{Action: name, Subject: subjectOf(name, request, response), Outcome: outcomeOf(err)})
	}
	return response, err
}

// service is a service of the contract, what answers it, and what hands its JSON calls on.
type service struct {
	desc    *grpc.ServiceDesc
	handler any
	gateway func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error
}
