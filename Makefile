# Everything an engineer does here; `make help` lists it. `make run` and `make test` are the two commands of the README.

GO     := go
TOOL   := $(GO) tool -modfile=internal/tools/go.mod
CACHE  := .cache
IMPORTS := $(CACHE)/proto/.written

help: ## these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

.PHONY: help run kiosk build test race engines lint generate generated breaking baseline bench powercuts pictures fuzz vuln clean

run: ## the whole system on this machine, with a demonstration province
	@echo "building (the first time takes a minute or two) ..." >&2
	@$(GO) build -buildvcs=auto -o bin/hailong-server ./server/hailong-server
	@bin/hailong-server -demo -demo-live -data $(CACHE)/demo

kiosk: ## a touchscreen at the demonstration, enrolled by itself: open http://127.0.0.1:8070
	@echo "building (the first time takes a minute or two) ..." >&2
	@$(GO) build -buildvcs=auto -o bin/ ./server/hailong-server ./kiosk-client/hailong-kiosk
	@bin/hailong-kiosk demo -state $(CACHE)/kiosk -server-program bin/hailong-server -data $(CACHE)/demo

# The kiosk's program goes over slow lines to many devices: it carries no symbols for a debugger.
build: ## the programs, into bin/
	CGO_ENABLED=0 $(GO) build -buildvcs=auto -trimpath -o bin/ ./server/hailong-server ./analytics/hailong-analytics
	CGO_ENABLED=0 $(GO) build -buildvcs=auto -trimpath -ldflags="-s -w" -o bin/ ./kiosk-client/hailong-kiosk

test: engines lint generated ## everything, against real engines; says which ones
	@internal/testengine/report.sh
	$(GO) test -timeout 20m ./...
	$(GO) test -race -short -timeout 20m $(RACED)

# Where several goroutines meet; the long forms of the engines run without -race above, and pages are clients of what runs here.
RACED := ./analytics/... ./internal/casework/... ./internal/hotline ./internal/notice ./kiosk-client/clock ./kiosk-client/journal ./kiosk-client/uplink ./internal/duty/... ./internal/officehours/... ./internal/analysis ./internal/audit ./internal/bus/... ./internal/citizen ./internal/desk ./internal/device/... ./internal/directory/... ./internal/identity/... ./internal/intake/... ./internal/job ./internal/remedy ./internal/store/... ./server

race: engines ## every test with the race detector, long forms too
	$(GO) test -race -timeout 60m ./...

engines: ## what tests use: mongod and axe-core into .cache; redis-server and chromium where they may be installed
	@internal/testengine/fetch.sh

$(IMPORTS): internal/tools/go.mod internal/tools/protodeps/main.go
	@$(GO) run -C internal/tools ./protodeps $(CURDIR)/$(CACHE)/proto
	@touch $@

lint: $(IMPORTS) breaking ## the linters of Go and of the contract
	$(TOOL) golangci-lint run ./...
	$(TOOL) buf lint

generate: $(IMPORTS) ## the Go and OpenAPI of the contract
	$(TOOL) buf generate

generated: $(IMPORTS) ## fails where committed generated files are not those of the contract
	@rm -rf $(CACHE)/generated
	@$(TOOL) buf generate -o $(CACHE)/generated
	@cd $(CACHE)/generated/proto && find . -type f | while read -r file; do cmp "$$file" "$(CURDIR)/proto/$$file" || { echo "run 'make generate' and commit"; exit 1; }; done

breaking: $(IMPORTS) ## fails where the contract breaks its last release
	@$(TOOL) buf build -o $(CACHE)/contract.binpb
	@$(TOOL) buf breaking $(CACHE)/contract.binpb --against proto/baseline.binpb --path hailong

baseline: $(IMPORTS) ## makes the present contract the one that must not be broken (at a release)
	$(TOOL) buf build -o proto/baseline.binpb

bench: engines ## speed, each figure beside its limit, in the same run
	$(GO) test ./internal/bench -run "^$$" -bench . -benchtime 1x -timeout 30m
	$(GO) test ./kiosk-client/simulate -run "^$$" -bench . -benchtime 1x -timeout 30m
	$(GO) test ./kiosk-client/journal -run "^$$" -bench Touch -benchtime 2000x
	$(GO) test ./kiosk-client/screen -run "^$$" -bench Touch -benchtime 200x
	$(GO) test ./server/web/overview -run "^$$" -bench Overview -benchtime 1x
	$(GO) test ./internal/casework/casebook -run "^$$" -bench "Life|Read" -benchtime 1x -timeout 60m

powercuts: ## hundreds of power cuts and damaged files of a kiosk; 0 lost, 0 doubled
	HAILONG_LONG=1 $(GO) test -count=1 -timeout 30m -v -run 'Power|Kill|Damage|Anything' ./kiosk-client ./kiosk-client/journal ./kiosk-client/uplink

pictures: engines ## the README's pictures, made again from the demonstration
	HAILONG_SCREENSHOTS=$(CURDIR)/server/web/pictures $(GO) test -count=1 ./server/web/pictures

fuzz: ## every fuzz target for FUZZTIME (30s)
	@internal/tools/fuzz.sh $(or $(FUZZTIME),30s)

vuln: ## known vulnerabilities of what is linked
	$(TOOL) govulncheck ./...

clean:
	rm -rf $(CACHE) bin
