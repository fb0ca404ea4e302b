// What {{name}} does.

package main

// State is what the operations of one instance share. They run on any thread and at the same time: a lock guards what
// changes.
type State struct{}

// invoke runs one operation. The numbers are places in the manifest's list.
func invoke(state *State, call *Call) ([]byte, error) {
	switch call.Operation {
{{table}}	}
	return nil, fail(Unimplemented, "{{snake}}.unknown_operation", "The manifest has no such operation.")
}

{{handlers}}
