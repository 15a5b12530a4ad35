#include <charconv>

#include "rules/rego/types.h"

namespace portcullis::rego {
namespace {

// The small language of builtin types.
class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text) {}

  TypePtr Function() {
    Type type;
    type.kind = TypeKind::kFunction;
    Take("(");
    while (!Take(")")) {
      TypePtr argument = Union();
      if (Take("...")) {
        type.dynamic = std::move(argument);
      } else {
        type.items.push_back(std::move(argument));
      }
      Take(",");
    }
    Take("->");
    if (!Take("nothing")) {
      type.result = Union();
    }
    return Bounded(std::move(type));
  }

 private:
  void Space() {
    while (!text_.empty() && text_[0] == ' ') {
      text_.remove_prefix(1);
    }
  }

  bool Take(std::string_view word) {
    Space();
    if (!text_.starts_with(word)) {
      return false;
    }
    text_.remove_prefix(word.size());
    return true;
  }

  TypePtr Union() {
    TypePtr first = One();
    if (!Take("|")) {
      return first;
    }
    std::vector<TypePtr> choices = {std::move(first)};
    do {
      choices.push_back(One());
    } while (Take("|"));
    return AnyOf(std::move(choices));
  }

  TypePtr One() {
    if (Take("null")) {
      return ScalarType(TypeKind::kNull);
    }
    if (Take("boolean")) {
      return ScalarType(TypeKind::kBoolean);
    }
    if (Take("number")) {
      return ScalarType(TypeKind::kNumber);
    }
    if (Take("string")) {
      return ScalarType(TypeKind::kString);
    }
    if (Take("any<")) {
      std::vector<TypePtr> choice = {Union()};
      Take(">");
      return AnyOf(std::move(choice));
    }
    if (Take("any")) {
      return AnyType();
    }
    if (Take("array")) {
      return ArrayType({}, Inside());
    }
    if (Take("set")) {
      return SetType(Inside());
    }
    if (Take("object")) {
      return Object();
    }
    if (Take("[")) {
      std::vector<TypePtr> items;
      while (!text_.empty() && !Take("]")) {
        items.push_back(Union());
        Take(",");
      }
      return ArrayType(std::move(items), nullptr);
    }
    if (Take("{")) {
      return Properties();
    }
    if (Take("(")) {
      TypePtr inner = Union();
      Take(")");
      return inner;
    }
    text_ = {};
    return AnyType();
  }

  TypePtr Inside() {
    if (!Take("[")) {
      return AnyType();
    }
    TypePtr type = Union();
    Take("]");
    return type;
  }

  TypePtr Object() {
    if (!Take("[")) {
      return ObjectType({}, AnyType(), AnyType());
    }
    TypePtr key = Union();
    Take(":");
    TypePtr value = Union();
    Take("]");
    return ObjectType({}, std::move(key), std::move(value));
  }

  TypePtr Properties() {
    std::vector<Property> properties;
    TypePtr other_keys;
    TypePtr other_values;
    while (!text_.empty() && !Take("}")) {
      if (Take("\"")) {
        auto key = std::make_shared<Term>();
        key->kind = TermKind::kString;
        std::size_t end = std::min(text_.find('"'), text_.size());
        key->text = text_.substr(0, end);
        text_.remove_prefix(std::min(end + 1, text_.size()));
        Take(":");
        properties.push_back({std::move(key), Union()});
      } else {
        other_keys = Union();
        Take(":");
        other_values = Union();
      }
      Take(",");
    }
    if (!other_keys) {
      return ObjectType(std::move(properties));
    }
    return ObjectType(std::move(properties), std::move(other_keys), std::move(other_values));
  }

  std::string_view text_;
};

}  // namespace

TypePtr ParseFunctionType(std::string_view text) {
  return TypeParser(text).Function();
}

}  // namespace portcullis::rego
