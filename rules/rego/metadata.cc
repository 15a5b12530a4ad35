// rego.metadata.rule() and chain(): calls become what the annotations say.

#include <algorithm>

#include "rules/rego/annotations.h"
#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kChain = "rego.metadata.chain";
constexpr std::string_view kRule = "rego.metadata.rule";

bool IsCallOf(const Expr& expr, std::string_view name) {
  return expr.kind == ExprKind::kCall && ToString(*expr.terms[0]) == name;
}

// The ground part of a rule's path.
TermPtr PathOf(const Rule& rule) {
  TermPtr path = FullReference(rule);
  path->items.resize(GroundPrefixSize(*path));
  return path;
}

TermPtr PathOf(const Module& module) {
  std::vector<TermPtr> items;
  items.push_back(NewVar("data", module.package_location));
  for (const std::string& part : module.package) {
    items.push_back(NewString(part, module.package_location));
  }
  return NewRef(std::move(items), module.package_location);
}

// The annotations of all modules, by what they are about.
class AnnotationSet {
 public:
  void Add(const Module& module, const Annotation& annotation, std::vector<Diagnostic>& errors) {
    if (annotation.scope == "rule") {
      by_rule_[annotation.rule].push_back(&annotation);
      return;
    }
    const bool document = annotation.scope == "document";
    Entry entry{&annotation, document ? PathOf(*annotation.rule) : PathOf(module)};
    auto& entries = annotation.scope == "package" ? by_package_ : by_path_;
    std::string path = ToString(*entry.path);
    auto [known, added] = entries.try_emplace(std::move(path), std::move(entry));
    if (!added) {
      const Location& other = known->second.annotation->location;
      errors.push_back(TypeError(annotation.location, annotation.scope +
                                                          " annotation redeclared: " + *other.file +
                                                          ":" + std::to_string(other.row)));
    }
  }

  // The annotation nearest to the rule's top; null: it has none.
  [[nodiscard]] const Annotation* Primary(const Rule& rule) const {
    const std::vector<const Annotation*> found = OfRule(rule);
    return found.empty() ? nullptr : found.back();
  }

  // From the rule outward: its own, its document's, its package's, those of packages around it.
  [[nodiscard]] TermPtr Chain(const Rule& rule) const {
    auto chain = std::make_unique<Term>();
    chain->kind = TermKind::kArray;
    const TermPtr path = PathOf(rule);
    const std::vector<const Annotation*> own = OfRule(rule);
    for (const Annotation* annotation : own) {
      chain->items.push_back(Link(*path, annotation));
    }
    if (own.empty()) {
      chain->items.push_back(Link(*path, nullptr));
    }
    AddEntry(*chain, by_path_, ToString(*path));
    const TermPtr package = PathOf(*rule.module);
    AddEntry(*chain, by_package_, ToString(*package));
    for (; !package->items.empty(); package->items.pop_back()) {
      AddEntry(*chain, by_path_, ToString(*package));
    }
    return chain;
  }

  // As rego.metadata.rule() gives it.
  [[nodiscard]] static TermPtr Content(const Annotation* annotation) {
    if (annotation == nullptr) {
      auto empty = std::make_unique<Term>();
      empty->kind = TermKind::kObject;
      return empty;
    }
    TermPtr content = Clone(*annotation->content);
    content->items.push_back(NewString("scope", {}));
    content->items.push_back(NewString(annotation->scope, {}));
    Normalize(*content);
    return content;
  }

 private:
  struct Entry {
    const Annotation* annotation;
    TermPtr path;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  // The last in the text first.
  [[nodiscard]] std::vector<const Annotation*> OfRule(const Rule& rule) const {
    auto found = by_rule_.find(&rule);
    if (found == by_rule_.end()) {
      return {};
    }
    return {found->second.rbegin(), found->second.rend()};
  }

  static TermPtr Link(const Term& path, const Annotation* annotation) {
    auto link = std::make_unique<Term>();
    link->kind = TermKind::kObject;
    if (annotation != nullptr) {
      link->items.push_back(NewString("annotations", {}));
      link->items.push_back(Content(annotation));
    }
    link->items.push_back(NewString("path", {}));
    auto items = std::make_unique<Term>();
    items->kind = TermKind::kArray;
    for (std::size_t i = 1; i < path.items.size(); ++i) {
      items->items.push_back(Clone(*path.items[i]));
    }
    link->items.push_back(std::move(items));
    return link;
  }

  static void AddEntry(Term& chain, const Entries& entries, const std::string& path) {
    if (auto found = entries.find(path); found != entries.end()) {
      chain.items.push_back(Link(*found->second.path, found->second.annotation));
    }
  }

  std::map<const Rule*, std::vector<const Annotation*>> by_rule_;
  Entries by_package_;
  Entries by_path_;  // Of documents and of packages with all below them.
};

// The calls in a rule and its else parts, the first of each.
struct FirstCalls {
  const Expr* chain = nullptr;
  const Expr* rule = nullptr;
};

FirstCalls FindCalls(const Compilation& compilation, const Rule& rule) {
  FirstCalls calls;
  ConstVisitor visitor;
  visitor.expr = [&](const Expr& expr) {
    if (calls.chain == nullptr && IsCallOf(expr, kChain)) {
      calls.chain = &expr;
    } else if (calls.rule == nullptr && IsCallOf(expr, kRule)) {
      calls.rule = &expr;
    }
    return true;
  };
  Walk(rule, visitor);
  // A function that is not there is an error of a later stage.
  if (compilation.catalog.Find(kChain) == nullptr) {
    calls.chain = nullptr;
  }
  if (compilation.catalog.Find(kRule) == nullptr) {
    calls.rule = nullptr;
  }
  return calls;
}

// Puts the variable in the place of the calls of one function.
void Replace(Rule& rule, std::string_view name, const std::string& variable) {
  Visitor visitor;
  visitor.expr = [&](Expr& expr) {
    if (!IsCallOf(expr, name)) {
      return true;
    }
    TermPtr value = NewVar(variable, expr.location);
    TermPtr result = expr.terms.size() > 1 ? std::move(expr.terms[1]) : nullptr;
    const std::uint32_t index = expr.index;
    const Location location = expr.location;
    if (result) {
      expr = std::move(*NewCallExpr("eq", std::move(result), std::move(value), location));
    } else {
      expr = Expr();
      expr.terms.push_back(std::move(value));
      expr.location = location;
    }
    expr.generated = true;
    expr.index = index;
    return true;
  };
  if (rule.key) {
    Walk(*rule.key, visitor);
  }
  if (rule.value) {
    Walk(*rule.value, visitor);
  }
  for (TermPtr& argument : rule.arguments) {
    Walk(*argument, visitor);
  }
  Walk(rule.body, visitor);
}

void RewriteRule(Compilation& compilation, const AnnotationSet& annotations, Rule& rule) {
  const FirstCalls calls = FindCalls(compilation, rule);
  Body body;
  auto bind = [&](TermPtr value, const Expr& call, std::string_view name) {
    value->location = call.location;
    body.push_back(compilation.NewEquality(std::move(value)));
    return std::pair(std::string(name), body.back()->terms[1]->text);
  };
  std::vector<std::pair<std::string, std::string>> variables;
  if (calls.chain != nullptr) {
    variables.push_back(bind(annotations.Chain(rule), *calls.chain, kChain));
  }
  if (calls.rule != nullptr) {
    variables.push_back(
        bind(AnnotationSet::Content(annotations.Primary(rule)), *calls.rule, kRule));
  }
  if (variables.empty()) {
    return;
  }
  for (const auto& [name, variable] : variables) {
    Replace(rule, name, variable);
  }
  std::ranges::move(rule.body, std::back_inserter(body));
  rule.body = std::move(body);
  Renumber(rule.body);
}

bool CallsMetadata(const Compilation& compilation) {
  return std::ranges::any_of(compilation.modules, [&](const std::unique_ptr<Module>& module) {
    return std::ranges::any_of(module->rules, [&](const std::unique_ptr<Rule>& rule) {
      const FirstCalls calls = FindCalls(compilation, *rule);
      return calls.chain != nullptr || calls.rule != nullptr;
    });
  });
}

}  // namespace

void RewriteMetadataCalls(Compilation& compilation) {
  const bool called = CallsMetadata(compilation);
  AnnotationSet annotations;
  std::vector<Diagnostic> errors;
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    if (called && module->annotations.empty()) {
      module->annotations = ReadAnnotations(module->comments, errors);
      AttachAnnotations(*module, errors);
    }
  }
  compilation.errors.Add(std::move(errors));
  if (compilation.errors.stops()) {
    return;
  }
  std::vector<Diagnostic> redeclared;
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const Annotation& annotation : module->annotations) {
      annotations.Add(*module, annotation, redeclared);
    }
  }
  compilation.errors.Add(std::move(redeclared));
  if (!called || compilation.errors.stops()) {
    return;
  }
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        RewriteRule(compilation, annotations, *rule);
      }
    }
  }
}

}  // namespace portcullis::rego
