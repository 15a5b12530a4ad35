// What a Go template computes with: Go's reflect.Value over decoded JSON and the values of its functions.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "rules/builtins/builtin.h"
#include "rules/builtins/go_format.h"

namespace portcullis::builtins {

struct GoValue {
  enum class Presence : std::uint8_t {
    kMissing,  // No value was piped.
    kInvalid,  // Go's zero reflect.Value: prints as <no value>.
    kPresent,
  };
  Presence presence = Presence::kInvalid;
  bool boxed =
      false;  // Held in an interface, as items of arrays and values of objects are. A boxed nil is a nil interface.
  GoArgument value = GoNil();

  static GoValue Of(GoArgument argument) {
    return {Presence::kPresent, false, std::move(argument)};
  }
  static GoValue Missing() { return {Presence::kMissing, false, GoNil()}; }
  static GoValue NilInterface() { return {Presence::kPresent, true, GoNil()}; }
  // Something inside the decoded JSON.
  static GoValue Boxed(const Value& json);

  [[nodiscard]] bool is_missing() const { return presence == Presence::kMissing; }
  [[nodiscard]] bool is_present() const { return presence == Presence::kPresent; }
  [[nodiscard]] bool is_nil_interface() const {
    return boxed && std::holds_alternative<GoNil>(value);
  }
  // What the interface holds; invalid for a nil one.
  [[nodiscard]] GoValue Unboxed() const;
  // REQUIRES: present.
  [[nodiscard]] std::string_view type() const { return boxed ? "interface {}" : GoTypeName(value); }
  // The text of a string or json.Number; null for others.
  [[nodiscard]] const std::string* text() const;
  [[nodiscard]] const Value* container() const { return std::get_if<Value>(&value); }
  [[nodiscard]] bool truth() const;
};

// What went wrong in a function is thrown inside the template's own files only: Go panics there as well.
struct TemplateFailure {
  std::string message;
};

// Calls a function. REQUIRES: IsTemplateFunction, as many arguments as TemplateArity demands; "and" and "or" are the
// renderer's. THROWS: TemplateFailure.
[[nodiscard]] GoValue CallTemplateFunction(CallContext& context, std::string_view name,
                                           std::vector<GoValue> arguments,
                                           std::string_view first_written);

enum class TemplateOperand : std::uint8_t { kReflected, kInterface, kString };
struct TemplateArity {
  int fixed = 0;
  bool variadic = false;
  TemplateOperand first = TemplateOperand::kReflected;
  TemplateOperand others = TemplateOperand::kReflected;
};
[[nodiscard]] TemplateArity ArityOf(std::string_view name);

}  // namespace portcullis::builtins
