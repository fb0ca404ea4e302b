package main

import "testing"

// Every operation answers an empty request or says why not, and refuses bytes that are no message.
func TestOperations(t *testing.T) {
	for operation := uint32(0); operation < {{operation_count}}; operation++ {
		payload, failure := outcome(&State{}, &Call{Operation: operation})
		if failure != nil && (failure.Reason == "" || failure.Reason == "{{snake}}.panicked") || failure == nil && payload == nil {
			t.Errorf("operation %d: %v", operation, failure)
		}
		if _, failure := outcome(&State{}, &Call{Operation: operation, payload: []byte("\x0A\x7F")}); failure == nil {
			t.Errorf("operation %d took bytes that are no message", operation)
		}
	}
	if _, failure := outcome(&State{}, &Call{Operation: {{operation_count}}}); failure == nil || failure.Code != Unimplemented {
		t.Errorf("an operation that there is not: %v", failure)
	}
}
