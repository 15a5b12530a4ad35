1package a
import future.keywords
p if { not { x := 1; x > 2 } and (q or { r }) }
q := -input.x + 1.5e3 * 2 % 3 - {1,2} | {"a":1}.a
