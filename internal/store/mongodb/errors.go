package mongodb

import (
	"errors"
	"fmt"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Codes of mongod, from its error_codes.yml.
const (
	codeUnauthorized         = 13
	codeCursorNotFound       = 43
	codeNamespaceExists      = 48
	codeDocumentValidation   = 121
	codeCursorKilled         = 237
	codeSnapshotTooOld       = 239
	codeSnapshotUnavailable  = 246
	codeRoleExists           = 51002
	codeUserExists           = 51003
	codeDuplicateKey         = 11000
	codeQueryPlanKilled      = 175
	codeBadValue             = 2
	codeFailedToParse        = 9
	codeTypeMismatch         = 14
	codeOverflow             = 15
	codeInvalidBSON          = 22
	codeDollarPrefixed       = 52
	codeInvalidIDField       = 53
	codeObjectTooLarge       = 10334
	codeCannotIndexParallel  = 171
	codeCannotBuildIndexKeys = 201
)

var errClosed = errors.New("the engine is closed")

// unavailable marks a failure of the engine itself; nil stays nil, and what is marked stays as it is.
func unavailable(err error) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

func hasCode(err error, codes ...int) bool {
	var server mongo.ServerError
	if !errors.As(err, &server) {
		return false
	}
	for _, code := range codes {
		if server.HasErrorCode(code) {
			return true
		}
	}
	return false
}

// ofDocument tells whether the server refused a whole command for what stands in a document, so that the documents
// beside it should be sent without it.
func ofDocument(err error) bool {
	var command mongo.CommandError
	return errors.As(err, &command) && hasCode(command, codeBadValue, codeFailedToParse, codeTypeMismatch, codeOverflow, codeInvalidBSON,
		codeDollarPrefixed, codeInvalidIDField, codeObjectTooLarge)
}

// writeError is what a refused write means to the caller of the store.
func writeError(err mongo.WriteError) error {
	switch err.Code {
	case codeDuplicateKey:
		if pattern, ok := err.Raw.Lookup("keyPattern").DocumentOK(); ok {
			if first, e := pattern.IndexErr(0); e == nil && first.Key() == "_id" {
				return store.ErrExists
			}
		}
		return store.ErrTaken
	case codeObjectTooLarge:
		return store.ErrTooLarge
	case codeDocumentValidation, codeDollarPrefixed, codeInvalidIDField, codeCannotIndexParallel, codeCannotBuildIndexKeys, codeBadValue:
		return fmt.Errorf("%w: mongodb refuses the document: %w", store.ErrInvalid, err)
	}
	return unavailable(err)
}

// outcome is what a single write's error means.
func outcome(err error) error {
	var write mongo.WriteException
	if errors.As(err, &write) && write.WriteConcernError == nil && len(write.WriteErrors) == 1 {
		return writeError(write.WriteErrors[0])
	}
	if ofDocument(err) {
		return fmt.Errorf("%w: mongodb refuses the document: %w", store.ErrInvalid, err)
	}
	return unavailable(err)
}

// lookupString answers a top-level string of a document, "" where it is none.
func lookupString(raw bson.Raw, key string) string {
	text, _ := raw.Lookup(key).StringValueOK()
	return text
}
