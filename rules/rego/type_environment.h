// What is known of the types of documents, rules and variables at a place.

#pragma once

#include <functional>
#include <map>
#include <memory>

#include "rules/rego/types.h"

namespace portcullis::rego {

struct TermLess {
  using is_transparent = void;
  bool operator()(const std::shared_ptr<const Term>& a,
                  const std::shared_ptr<const Term>& b) const {
    return Compare(*a, *b) < 0;
  }
  bool operator()(const std::shared_ptr<const Term>& a, const Term& b) const {
    return Compare(*a, b) < 0;
  }
  bool operator()(const Term& a, const std::shared_ptr<const Term>& b) const {
    return Compare(a, *b) < 0;
  }
};

// Types by reference: data, then the path. Variables are at the root.
struct TypeNode {
  TypePtr type;  // Null: only what is below is known.
  std::map<std::shared_ptr<const Term>, std::unique_ptr<TypeNode>, TermLess> children;

  [[nodiscard]] const TypeNode* Child(const Term& key) const;
  [[nodiscard]] const TypeNode* Find(const Term& reference) const;
  TypeNode& Make(const Term& key);
  void Put(const Term& reference, TypePtr type);
  // Adds a rule's type to what is known at its path and of the objects around it. REQUIRES: `path` is ground.
  void Insert(const Term& path, TypePtr type);
};

// Environments lie over each other; the inner ones know variables. LIFETIME: `next` outlives it.
struct TypeEnvironment {
  std::shared_ptr<TypeNode> tree = std::make_shared<TypeNode>();
  std::shared_ptr<TypeNode> variables = tree;  // Where types of variables go.
  const TypeEnvironment* next = nullptr;
  // The type of a comprehension in this environment.
  std::function<TypePtr(TypeEnvironment& environment, const Term& comprehension)> closure;

  [[nodiscard]] static TypeEnvironment Over(const TypeEnvironment& next);

  // Null: not known.
  [[nodiscard]] TypePtr Get(const Term& term);
  [[nodiscard]] TypePtr GetVariable(const Term& variable) const;
  [[nodiscard]] TypePtr GetReference(const Term& reference) const;
  void PutVariable(const Term& variable, TypePtr type) const;

  // Of a node with all below it.
  [[nodiscard]] static TypePtr Extent(const TypeNode& node);
};

// Whether the term can have that type; variables in it take theirs from it. `unite`: a variable that has a type gets this one
// as another choice.
bool UnifyTerm(TypeEnvironment& environment, const Term& term, const TypePtr& type, bool unite);
// Whether both terms, of these types, can be equal.
bool UnifyTerms(TypeEnvironment& environment, const Term& a, const TypePtr& type_a, const Term& b,
                const TypePtr& type_b);

// The keys that are known of an object, for error texts.
[[nodiscard]] std::vector<const Term*> KnownKeys(const TypePtr& type);

}  // namespace portcullis::rego
