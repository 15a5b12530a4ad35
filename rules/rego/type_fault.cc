// The texts of type errors.

#include <algorithm>

#include "rules/rego/check.h"

namespace portcullis::rego {
namespace {

constexpr std::string_view kMatchErrorPage =
    "https://www.openpolicyagent.org/docs/errors/rego-type-error/match-error";

std::string_view SharedKind(const TypePtr& a, const TypePtr& b) {
  if (!a || !b || a->kind != b->kind) {
    return {};
  }
  switch (a->kind) {
    case TypeKind::kObject:
      return "objects";
    case TypeKind::kArray:
      return "arrays";
    case TypeKind::kSet:
      return "sets";
    default:
      return {};
  }
}

std::string Listed(const std::vector<std::string>& parts) {
  std::string text = "(";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : ", ") + parts[i];
  }
  return text + ')';
}

// An expected argument, by name where it has one.
struct Wanted {
  std::string name;
  TypePtr type;

  [[nodiscard]] std::string Named(const std::string& text) const {
    return name.empty() ? text : name + ": " + text;
  }
  [[nodiscard]] std::string Text() const { return Named(ToString(type)); }
  [[nodiscard]] std::string Short() const {
    std::string full = Text();
    return full.size() <= 32 ? full : Named(ElidedAlways(type));
  }
};

std::vector<Wanted> WantedOf(const Type& function, bool with_result) {
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < function.items.size(); ++i) {
    wanted.push_back({i < function.names.size() ? function.names[i] : "", function.items[i]});
  }
  if (with_result && function.result) {
    wanted.push_back({function.result_name, function.result});
  }
  return wanted;
}

void AddWide(const std::vector<TypePtr>& have, const std::vector<Wanted>& want,
             const TypePtr& variadic, std::vector<std::string>& details) {
  std::vector<std::string> left;
  std::vector<std::string> right;
  for (std::size_t i = 0; i < have.size(); ++i) {
    if (i >= want.size()) {
      left.push_back(Elided(have[i]));
    } else if (have[i] && Unifies(have[i], want[i].type)) {
      left.push_back(Elided(have[i]));
      right.push_back(want[i].Short());
    } else {
      TypeTexts texts = Difference(have[i], want[i].type);
      left.push_back(texts.left);
      right.push_back(want[i].Named(texts.right));
    }
  }
  for (std::size_t i = have.size(); i < want.size(); ++i) {
    right.push_back(want[i].Short());
  }
  if (variadic) {
    right.push_back(Elided(variadic) + "...");
  }
  details = {"have: " + Listed(left), "want: " + Listed(right)};
}

}  // namespace

TypeFault ArgumentFault(const Location& location, const std::string& function,
                        std::string_view what, const std::vector<TypePtr>& have, const Type& want,
                        bool with_result) {
  Diagnostic error = TypeError(location, function + ": " + std::string(what));
  std::vector<Wanted> wanted = WantedOf(want, with_result);
  std::vector<std::string> left;
  std::vector<std::string> right;
  for (const TypePtr& type : have) {
    left.push_back(ToString(type));
  }
  for (const Wanted& argument : wanted) {
    right.push_back(argument.Text());
  }
  if (want.dynamic) {
    right.push_back(ToString(want.dynamic) + "...");
  }
  error.details = {"have: " + Listed(left), "want: " + Listed(right)};
  if (std::ranges::any_of(error.details, IsTooWide)) {
    AddWide(have, wanted, want.dynamic, error.details);
  }
  return {std::move(error), std::ranges::any_of(have, IsUnknown)};
}

TypeFault MatchFault(const Location& location, const TypePtr& left, const TypePtr& right) {
  Diagnostic error = TypeError(location, "match error");
  error.details = {"left  : " + ToString(left), "right : " + ToString(right)};
  if (std::ranges::any_of(error.details, IsTooWide)) {
    TypeTexts texts = Difference(left, right);
    error.details = {"left  : " + texts.left, "right : " + texts.right};
  }
  std::string_view kind = SharedKind(left, right);
  if (!kind.empty()) {
    error.details.push_back("hint  : both sides are " + std::string(kind) +
                            " but their types differ, so they can never be equal (see " +
                            std::string(kMatchErrorPage) + ")");
  }
  return {std::move(error), IsUnknown(left) || IsUnknown(right)};
}

}  // namespace portcullis::rego
