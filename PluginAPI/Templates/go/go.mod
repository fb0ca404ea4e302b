module {{kebab}}

go 1.21
