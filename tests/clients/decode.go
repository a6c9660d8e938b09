// Reads base64 texts from a file and prints what encoding/json makes of each call.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
)

type message struct {
	Method string `json:"method"`
	Params struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"params"`
}

func read(text string) any {
	raw, err := base64.StdEncoding.DecodeString(text)
	var m message
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	call, _ := json.Marshal(map[string]any{"method": m.Method, "name": m.Params.Name, "arguments": m.Params.Arguments})
	return string(call)
}

func main() {
	raw, err := os.ReadFile(os.Args[1])
	var texts []string
	if err == nil {
		err = json.Unmarshal(raw, &texts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	calls := make([]any, len(texts))
	for at, text := range texts {
		calls[at] = read(text)
	}
	_ = json.NewEncoder(os.Stdout).Encode(calls)
}
