#include "rules/policy/template_modules.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "rules/policy/kubernetes_text.h"
#include "rules/rego/compile.h"

namespace portcullis::policy {
namespace {

using rego::Body;
using rego::Expr;
using rego::Module;
using rego::Rule;
using rego::Term;
using rego::TermKind;
using rego::TermPtr;

constexpr std::string_view kEntryFile = "template";
constexpr std::string_view kHookFile = "hooks.hooks_builtin";
constexpr std::string_view kEntryRule = "violation";
constexpr std::string_view kLibraryRoot = "lib";     // data.lib, as templates write it.
constexpr std::string_view kLibraryPrefix = "libs";  // data.libs.lib, as they are compiled.
constexpr std::string_view kInventory = "inventory";

std::unexpected<Error> Invalid(const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument, "invalid ConstraintTemplate: " + what);
}

// What Gatekeeper's driver does with the results of a template. It is compiled with the template, though never planned, so
// that a template whose results have no usable msg is refused. Errors name its rows: they are Gatekeeper's.
constexpr std::string_view kHook = R"rego(package hooks


violation[response] {

  key := input.constraints[_]



  inp := {
    "review": input.review,
    "parameters": data.constraints[key.kind][key.name],
  }

  data.template.violation[r] with input as inp


  response := {
    "key": key,
    "details": object.get(r, "details", {}),
    "msg": r.msg,
  }
}
)rego";

bool IsNamed(const Term& term, std::string_view name) {
  return term.IsVar() && term.text == name;
}

// A reference, or a root document that stands alone.
bool StartsAtData(const Term& term) {
  return IsNamed(term, "data") ||
         (term.kind == TermKind::kRef && !term.items.empty() && IsNamed(*term.items[0], "data"));
}

bool IsBelowData(const Term& reference, std::string_view name) {
  return reference.kind == TermKind::kRef && StartsAtData(reference) &&
         reference.items.size() > 1 && reference.items[1]->kind == TermKind::kString &&
         reference.items[1]->text == name;
}

// Calls `visit` on the terms below a rule, the outer first; below a term only where `visit` says true.
class TermWalker {
 public:
  using Visit = std::function<bool(Term&)>;
  explicit TermWalker(Visit visit) : visit_(std::move(visit)) {}

  void Walk(Rule& rule) {
    for (TermPtr& argument : rule.arguments) {
      Walk(*argument);
    }
    if (rule.key != nullptr) {
      Walk(*rule.key);
    }
    if (rule.value != nullptr) {
      Walk(*rule.value);
    }
    Walk(rule.body);
    if (rule.else_rule != nullptr) {
      Walk(*rule.else_rule);
    }
  }

 private:
  void Walk(Body& body) {
    for (rego::ExprPtr& expr : body) {
      for (TermPtr& term : expr->terms) {
        if (term != nullptr) {
          Walk(*term);
        }
      }
      Walk(expr->body);
      for (rego::With& with : expr->with) {
        Walk(*with.target);
        Walk(*with.value);
      }
    }
  }

  void Walk(Term& term) {
    if (!visit_(term)) {
      return;
    }
    for (TermPtr& item : term.items) {
      Walk(*item);
    }
    Walk(term.body);
  }

  Visit visit_;
};

TermPtr NewTerm(TermKind kind, std::string_view text) {
  auto term = std::make_unique<Term>();
  term->kind = kind;
  term->text = std::string(text);
  return term;
}

std::string PackageText(const Module& module) {
  const TermPtr reference = NewTerm(TermKind::kRef, "");
  reference->items.push_back(NewTerm(TermKind::kVar, "data"));
  for (const std::string& step : module.package) {
    reference->items.push_back(NewTerm(TermKind::kString, step));
  }
  return rego::ToString(*reference);
}

Result<std::unique_ptr<Module>> Parse(std::string file, const std::string& text,
                                      rego::Version version) {
  auto module = rego::ParseModule(std::move(file), text, version);
  if (module) {
    return *std::move(module);
  }
  const std::vector<rego::Diagnostic>& diagnostics = module.error();
  const bool empty = diagnostics.size() == 1 && diagnostics.front().message == "empty module";
  return Invalid(empty ? diagnostics.front().ToString() : rego::ToString(diagnostics));
}

Result<void> RequireEntryRule(const Module& module) {
  const bool present = std::ranges::any_of(module.rules, [](const std::unique_ptr<Rule>& rule) {
    const Term& reference = *rule->reference;
    return IsNamed(reference, kEntryRule) ||
           (reference.kind == TermKind::kRef && !reference.items.empty() &&
            IsNamed(*reference.items[0], kEntryRule));
  });
  if (present) {
    return {};
  }
  return Invalid("invalid rego: invalid module: missing required rules: [" +
                 std::string(kEntryRule) + "]");
}

Result<void> CheckLibraryPackage(const Module& module) {
  if (module.package.size() > 1 && module.package.front() == kLibraryRoot) {
    return {};
  }
  return Invalid("invalid lib prefix: path " + PackageText(module) + " not found in lib prefixes");
}

Result<void> CheckImports(const Module& module) {
  for (const rego::Import& import : module.imports) {
    const Term& path = *import.path;
    const Term& head = path.kind == TermKind::kRef && !path.items.empty() ? *path.items[0] : path;
    if (IsNamed(head, "input")) {
      return Invalid("invalid import: cannot import input: " + Quote(rego::ToString(path)));
    }
    if (!IsBelowData(path, kLibraryRoot) && !IsNamed(head, "future")) {
      return Invalid("invalid import: bad import: " + Quote(rego::ToString(path)));
    }
  }
  return {};
}

// References to data that stand on their own; what stands inside another reference is not looked at, as in Gatekeeper.
Result<void> CheckReferences(Module& module, bool may_read_inventory) {
  std::string lines;
  std::size_t count = 0;
  TermWalker walker([&](Term& term) {
    const bool reference = term.kind == TermKind::kRef || IsNamed(term, "data");
    const bool is_inventory = may_read_inventory && IsBelowData(term, kInventory);
    if (reference && StartsAtData(term) && !is_inventory && !IsBelowData(term, kLibraryRoot)) {
      lines += "disallowed ref " + rego::ToString(term) + "\n";
      ++count;
    }
    return !reference;
  });
  for (const std::unique_ptr<Rule>& rule : module.rules) {
    walker.Walk(*rule);
  }
  if (count == 0) {
    return {};
  }
  return Invalid("invalid data references: check refs failed on module {" + *module.file +
                 "}: errors (" + std::to_string(count) + "):\n" + lines);
}

// data.lib.x becomes data.libs.lib.x.
void PrefixLibrary(Term& reference) {
  if (!IsBelowData(reference, kLibraryRoot)) {
    return;
  }
  TermPtr prefix = NewTerm(TermKind::kString, kLibraryPrefix);
  prefix->location = reference.location;
  reference.items.insert(reference.items.begin() + 1, std::move(prefix));
}

void PrefixLibraries(Module& module) {
  for (rego::Import& import : module.imports) {
    PrefixLibrary(*import.path);
  }
  // Only terms that stand directly in a rule or expression: Gatekeeper leaves those inside calls and collections as
  // they are, so that data.lib.f(x) is an undefined function there.
  TermWalker walker([](Term& term) {
    PrefixLibrary(term);
    return false;
  });
  for (const std::unique_ptr<Rule>& rule : module.rules) {
    walker.Walk(*rule);
  }
}

}  // namespace

Result<std::vector<std::unique_ptr<Module>>> PrepareModules(const TemplateSource& source) {
  std::vector<std::unique_ptr<Module>> modules;
  modules.push_back(TRY(Parse(std::string(kEntryFile), source.rego, source.version)));
  modules.front()->package = {std::string(kEntryFile)};
  TRY(RequireEntryRule(*modules.front()));
  for (std::size_t i = 0; i < source.libraries.size(); ++i) {
    const std::string file = "libs[\"lib_" + std::to_string(i) + "\"]";
    modules.push_back(TRY(Parse(file, source.libraries[i], source.version)));
  }

  // Gatekeeper's order: packages, then imports, then references, and in each the libraries first.
  for (std::size_t i = 1; i < modules.size(); ++i) {
    TRY(CheckLibraryPackage(*modules[i]));
  }
  std::vector<Module*> order;
  for (std::size_t i = 1; i < modules.size(); ++i) {
    order.push_back(modules[i].get());
  }
  order.push_back(modules.front().get());
  for (const Module* module : order) {
    TRY(CheckImports(*module));
  }
  for (Module* module : order) {
    TRY(CheckReferences(*module, source.may_read_inventory));
  }

  for (std::size_t i = 1; i < modules.size(); ++i) {
    modules[i]->package.insert(modules[i]->package.begin(), std::string(kLibraryPrefix));
  }
  for (Module* module : order) {
    PrefixLibraries(*module);
  }
  modules.insert(modules.begin(),
                 TRY(Parse(std::string(kHookFile), std::string(kHook), rego::Version::kV0)));
  return modules;
}

}  // namespace portcullis::policy
