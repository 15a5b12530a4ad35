// Texts of types. In errors that would be too wide, what two types share is left out.

#include <algorithm>

#include "rules/rego/text.h"
#include "rules/rego/types.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kElision = "...";
constexpr std::size_t kMaximumLine = 80;
constexpr std::size_t kMaximumType = 32;
constexpr int kMaximumDepth = 8;

using Texts = std::vector<std::string>;

std::string Join(const Texts& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string Composite(std::string_view name, const Texts& fixed, std::string_view dynamic) {
  std::string text(name);
  if (!fixed.empty()) {
    text += '<' + Join(fixed) + '>';
  }
  if (!dynamic.empty()) {
    text += '[' + std::string(dynamic) + ']';
  }
  return text;
}

std::string AnyText(const Texts& choices) {
  return choices.empty() ? "any" : "any<" + Join(choices) + '>';
}

// As Go prints what JSON gave it.
std::string KeyText(const Term& key) {
  switch (key.kind) {
    case TermKind::kString:
      return key.text;
    case TermKind::kNull:
      return "<nil>";
    case TermKind::kArray:
    case TermKind::kSet: {
      std::string text = "[";
      for (std::size_t i = 0; i < key.items.size(); ++i) {
        text += (i == 0 ? "" : " ") + KeyText(*key.items[i]);
      }
      return text + ']';
    }
    case TermKind::kObject: {
      std::string text = "map[";
      for (std::size_t i = 0; i + 1 < key.items.size(); i += 2) {
        text += (i == 0 ? "" : " ") + KeyText(*key.items[i]) + ':' + KeyText(*key.items[i + 1]);
      }
      return text + ']';
    }
    default:
      return ToString(key);
  }
}

std::string PropertyText(const Property& property, const std::string& value) {
  return KeyText(*property.key) + ": " + value;
}

std::size_t RuneCount(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string FunctionText(Texts arguments, const std::string& result) {
  return '(' + Join(arguments) + ") => " + result;
}

// Types nested more than `depth` levels deep are left out.
std::string ElideBelow(const TypePtr& type, int depth) {
  if (depth < 0 || !type) {
    return ToString(type);
  }
  auto inner = [&](const TypePtr& t) {
    return depth == 0 ? std::string(kElision) : ElideBelow(t, depth - 1);
  };
  Texts fixed;
  switch (type->kind) {
    case TypeKind::kSet:
      return type->dynamic ? "set[" + inner(type->dynamic) + ']' : "set";
    case TypeKind::kArray:
    case TypeKind::kAny:
      if (depth == 0 && !type->items.empty()) {
        fixed.emplace_back(kElision);
      } else {
        for (const TypePtr& item : type->items) {
          fixed.push_back(ElideBelow(item, depth - 1));
        }
      }
      if (type->kind == TypeKind::kAny) {
        return AnyText(fixed);
      }
      return Composite("array", fixed, type->dynamic ? inner(type->dynamic) : "");
    case TypeKind::kObject: {
      if (depth == 0 && !type->properties.empty()) {
        fixed.emplace_back(kElision);
      } else {
        for (const Property& p : type->properties) {
          fixed.push_back(PropertyText(p, ElideBelow(p.value, depth - 1)));
        }
      }
      std::string dynamic;
      if (type->has_dynamic) {
        dynamic = depth == 0 ? std::string(kElision)
                             : ElideBelow(type->key, depth - 1) + ": " +
                                   ElideBelow(type->dynamic, depth - 1);
      }
      return Composite("object", fixed, dynamic);
    }
    case TypeKind::kFunction:
      if (depth == 0) {
        if (!type->items.empty() || type->dynamic) {
          fixed.emplace_back(kElision);
        }
        return FunctionText(fixed, type->result ? std::string(kElision) : "???");
      }
      for (const TypePtr& item : type->items) {
        fixed.push_back(ElideBelow(item, depth - 1));
      }
      if (type->dynamic) {
        fixed.push_back(ElideBelow(type->dynamic, depth - 1) + "...");
      }
      return FunctionText(fixed, ElideBelow(type->result, depth - 1));
    default:
      return ToString(type);
  }
}

bool LooksEqual(const TypePtr& a, const TypePtr& b) {
  return ToString(a) == ToString(b);
}

class Differ {
 public:
  static TypeTexts Diff(const TypePtr& a, const TypePtr& b, int depth) {
    if (depth >= kMaximumDepth || !a || !b || a->kind != b->kind || LooksEqual(a, b)) {
      return {Elided(a), Elided(b)};
    }
    switch (a->kind) {
      case TypeKind::kSet:
        if (a->dynamic && b->dynamic) {
          TypeTexts of = Diff(a->dynamic, b->dynamic, depth + 1);
          return {"set[" + of.left + ']', "set[" + of.right + ']'};
        }
        break;
      case TypeKind::kArray:
        return Arrays(a, b, depth);
      case TypeKind::kObject:
        return Objects(*a, *b, depth);
      case TypeKind::kAny:
        return Anys(*a, *b);
      default:
        break;
    }
    return {Elided(a), Elided(b)};
  }

 private:
  static TypeTexts Arrays(const TypePtr& a, const TypePtr& b, int depth) {
    if (a->items.size() != b->items.size() || (a->dynamic != nullptr) != (b->dynamic != nullptr)) {
      return {ElideBelow(a, 1), ElideBelow(b, 1)};
    }
    Texts left;
    Texts right;
    for (std::size_t i = 0; i < a->items.size(); ++i) {
      TypeTexts item = Diff(a->items[i], b->items[i], depth + 1);
      left.push_back(item.left);
      right.push_back(item.right);
    }
    TypeTexts dynamic;
    if (a->dynamic) {
      dynamic = Diff(a->dynamic, b->dynamic, depth + 1);
    }
    return {Composite("array", left, dynamic.left), Composite("array", right, dynamic.right)};
  }

  static TypeTexts Objects(const Type& a, const Type& b, int depth) {
    Texts left;
    Texts right;
    bool elided = false;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.properties.size() || j < b.properties.size()) {
      int order = j == b.properties.size()   ? -1
                  : i == a.properties.size() ? 1
                                             : Compare(*a.properties[i].key, *b.properties[j].key);
      if (order < 0) {
        left.push_back(PropertyText(a.properties[i], Elided(a.properties[i].value)));
        ++i;
      } else if (order > 0) {
        right.push_back(PropertyText(b.properties[j], Elided(b.properties[j].value)));
        ++j;
      } else {
        if (LooksEqual(a.properties[i].value, b.properties[j].value)) {
          elided = true;
        } else {
          TypeTexts value = Diff(a.properties[i].value, b.properties[j].value, depth + 1);
          left.push_back(PropertyText(a.properties[i], value.left));
          right.push_back(PropertyText(b.properties[j], value.right));
        }
        ++i;
        ++j;
      }
    }
    if (elided) {
      left.emplace_back(kElision);
      right.emplace_back(kElision);
    }
    TypeTexts dynamic;
    if (a.has_dynamic && b.has_dynamic) {
      TypeTexts key = Diff(a.key, b.key, depth + 1);
      TypeTexts value = Diff(a.dynamic, b.dynamic, depth + 1);
      dynamic = {key.left + ": " + value.left, key.right + ": " + value.right};
    } else if (a.has_dynamic) {
      dynamic.left = Elided(a.key) + ": " + Elided(a.dynamic);
    } else if (b.has_dynamic) {
      dynamic.right = Elided(b.key) + ": " + Elided(b.dynamic);
    }
    return {Composite("object", left, dynamic.left), Composite("object", right, dynamic.right)};
  }

  static TypeTexts Anys(const Type& a, const Type& b) {
    auto has = [](const Type& any, const TypePtr& type) {
      return std::ranges::any_of(any.items, [&](const TypePtr& t) { return LooksEqual(t, type); });
    };
    Texts left;
    Texts right;
    bool elided = false;
    for (const TypePtr& type : a.items) {
      if (has(b, type)) {
        elided = true;
      } else {
        left.push_back(Elided(type));
      }
    }
    for (const TypePtr& type : b.items) {
      if (!has(a, type)) {
        right.push_back(Elided(type));
      }
    }
    if (elided) {
      left.emplace_back(kElision);
      right.emplace_back(kElision);
    }
    return {AnyText(left), AnyText(right)};
  }
};

}  // namespace

std::string ToString(const TypePtr& type) {
  if (!type) {
    return "???";
  }
  Texts fixed;
  switch (type->kind) {
    case TypeKind::kNull:
      return "null";
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kNumber:
      return "number";
    case TypeKind::kString:
      return "string";
    case TypeKind::kSet:
      return type->dynamic ? "set[" + ToString(type->dynamic) + ']' : "set";
    case TypeKind::kObject: {
      for (const Property& property : type->properties) {
        fixed.push_back(PropertyText(property, ToString(property.value)));
      }
      std::string dynamic =
          type->has_dynamic ? ToString(type->key) + ": " + ToString(type->dynamic) : "";
      return Composite("object", fixed, dynamic);
    }
    default:
      break;
  }
  for (const TypePtr& item : type->items) {
    fixed.push_back(ToString(item));
  }
  if (type->kind == TypeKind::kAny) {
    return AnyText(fixed);
  }
  if (type->kind == TypeKind::kArray) {
    return Composite("array", fixed, type->dynamic ? ToString(type->dynamic) : "");
  }
  if (type->dynamic) {
    fixed.push_back(ToString(type->dynamic) + "...");
  }
  return FunctionText(fixed, ToString(type->result));
}

std::string Elided(const TypePtr& type) {
  std::string full = ToString(type);
  return RuneCount(full) <= kMaximumType ? full : ElideBelow(type, 0);
}

std::string ElidedAlways(const TypePtr& type) {
  return ElideBelow(type, 0);
}

TypeTexts Difference(const TypePtr& a, const TypePtr& b) {
  return Differ::Diff(a, b, 0);
}

bool IsTooWide(std::string_view line) {
  return RuneCount(line) > kMaximumLine;
}

}  // namespace portcullis::rego
