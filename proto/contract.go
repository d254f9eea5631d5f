// Package contract carries the OpenAPI document of the JSON calls, generated from the contract beside it.
package contract

import _ "embed" // for the document

// OpenAPI is the document served at /v1/openapi.json.
//
//go:embed hailong.swagger.json
var OpenAPI []byte
