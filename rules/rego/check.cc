#include "rules/rego/check.h"

namespace portcullis::rego {

int ArityOf(const builtins::Builtin& builtin) {
  int depth = 0;
  int count = 0;
  bool any = false;
  for (char c : builtin.type) {
    if (c == '(' || c == '[' || c == '{') {
      ++depth;
    }
    if (c == ')' || c == ']' || c == '}') {
      --depth;
    }
    if (depth == 0) {
      break;
    }
    if (depth == 1 && c == ',') {
      ++count;
    }
    if (c != '(' && c != ' ' && c != ')') {
      any = true;
    }
  }
  return any ? count + 1 : 0;
}

Diagnostic ArityError(const Compilation& compilation, const Expr& call, int wanted, int given) {
  std::string name = ToString(*compilation.WithWrittenNames(*call.terms[0]));
  return TypeError(call.location, "function " + name + " has arity " + std::to_string(wanted) +
                                      ", got " + std::to_string(given) +
                                      (given == 1 ? " argument" : " arguments"));
}

}  // namespace portcullis::rego
