#include "rules/builtins/go_format.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "document/json.h"
#include "rules/builtins/go_format_internal.h"
#include "rules/builtins/go_formatter.h"
#include "rules/builtins/number.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

using document::Value;

constexpr int kLargest = 1000000;  // Of a width, a precision or the number of an argument.

GoArgument ToArgument(const Value& value) {
  if (value.is_int()) {
    return value.integer();
  }
  if (value.is_string()) {
    return std::string(value.string());
  }
  if (!value.is_number()) {
    return document::ToRego(value);
  }
  std::string text = document::NumberText(value);
  if (text.find_first_of(".eE") != std::string::npos) {
    const double number = document::ToDouble(value);
    if (std::isfinite(number)) {
      return number;
    }
  } else if (const auto small = document::ToInt64(value)) {
    return *small;  // "-0", and what to_number makes of "+1" and "01".
  } else if (auto whole = ParseBigInt(text)) {
    return *std::move(whole);
  }
  return text;
}

}  // namespace

void GoFormatter::Run() {
  while (at_ < format_.size() && out_.size() <= limit_bytes_) {
    const std::size_t percent = std::min(format_.find('%', at_), format_.size());
    out_.append(format_, at_, percent - at_);
    at_ = percent;
    if (at_ < format_.size()) {
      ++at_;
      Directive();
    }
  }
  if (!reordered_ && next_ < count()) {
    Extra();
  }
}

std::uint32_t GoFormatter::count() const {
  return values_ != nullptr ? values_->size() : static_cast<std::uint32_t>(arguments_.size());
}

GoArgument GoFormatter::At(std::uint32_t i) const {
  return values_ != nullptr ? ToArgument(values_->ItemAt(i)) : arguments_[i];
}

void GoFormatter::Directive() {
  // Most are plain.
  if (values_ != nullptr && at_ < format_.size() && next_ < count() &&
      (format_[at_] == 'v' || format_[at_] == 's')) {
    const Value item = values_->ItemAt(next_);
    if (item.is_string()) {
      out_.append(item.string());
      ++next_;
      ++at_;
      return;
    }
  }
  flags_ = {};
  good_index_ = true;
  after_index_ = false;
  ReadFlags();
  ReadIndex();
  ReadWidth();
  ReadPrecision();
  if (!after_index_) {
    ReadIndex();
  }
  if (at_ >= format_.size()) {
    out_.append("%!(NOVERB)");
    return;
  }
  const Rune verb = DecodeRune(format_.substr(at_));
  at_ += verb.width;
  Verb(verb.value);
}

void GoFormatter::ReadFlags() {
  for (; at_ < format_.size(); ++at_) {
    switch (format_[at_]) {
      case '#':
        flags_.sharp = true;
        break;
      case '0':
        flags_.zero = true;
        break;
      case '+':
        flags_.plus = true;
        break;
      case '-':
        flags_.minus = true;
        break;
      case ' ':
        flags_.space = true;
        break;
      default:
        return;
    }
  }
}

std::optional<int> GoFormatter::ReadNumber(std::size_t end) {
  std::optional<int> number;
  for (; at_ < end && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
    if (number.value_or(0) > kLargest) {
      at_ = end;
      return std::nullopt;
    }
    number = number.value_or(0) * 10 + (format_[at_] - '0');
  }
  return number;
}

void GoFormatter::ReadIndex() {
  after_index_ = false;
  if (at_ >= format_.size() || format_[at_] != '[') {
    return;
  }
  reordered_ = true;
  const std::size_t open = at_;
  const std::size_t close =
      format_.size() - open < 3 ? std::string_view::npos : format_.find(']', open + 1);
  if (close == std::string_view::npos) {
    good_index_ = false;
    at_ = open + 1;
    return;
  }
  ++at_;
  const std::optional<int> number = at_ < close ? ReadNumber(close) : std::nullopt;
  const bool read = number.has_value() && at_ == close;
  at_ = close + 1;
  after_index_ = read;
  if (read && *number >= 1 && static_cast<std::uint32_t>(*number) <= count()) {
    next_ = static_cast<std::uint32_t>(*number) - 1;
  } else {
    good_index_ = false;
  }
}

std::optional<int> GoFormatter::ReadStar() {
  if (next_ >= count()) {
    return std::nullopt;
  }
  const GoArgument item = At(next_++);
  std::int64_t number = kLargest + 1;
  if (const auto* given = std::get_if<std::int64_t>(&item)) {
    number = *given;
  } else if (const auto* whole = std::get_if<GoInt>(&item)) {
    number = whole->value;
  } else if (const auto* byte = std::get_if<std::uint8_t>(&item)) {
    number = *byte;
  }
  return std::abs(number) > kLargest ? std::nullopt : std::optional(static_cast<int>(number));
}

void GoFormatter::ReadWidth() {
  if (at_ < format_.size() && format_[at_] == '*') {
    ++at_;
    flags_.width = ReadStar();
    if (!flags_.width) {
      out_.append("%!(BADWIDTH)");
    }
    if (flags_.width.value_or(0) < 0) {
      flags_.width = -*flags_.width;
      flags_.minus = true;
      flags_.zero = false;
    }
    after_index_ = false;
    return;
  }
  flags_.width = ReadNumber(format_.size());
  if (after_index_ && flags_.width) {
    good_index_ = false;
  }
}

void GoFormatter::ReadPrecision() {
  if (at_ + 1 >= format_.size() || format_[at_] != '.') {
    return;
  }
  ++at_;
  if (after_index_) {
    good_index_ = false;
  }
  ReadIndex();
  if (at_ < format_.size() && format_[at_] == '*') {
    ++at_;
    flags_.precision = ReadStar();
    if (flags_.precision.value_or(0) < 0) {
      flags_.precision.reset();
    }
    if (!flags_.precision) {
      out_.append("%!(BADPREC)");
    }
    after_index_ = false;
    return;
  }
  flags_.precision = ReadNumber(format_.size()).value_or(0);
}

void GoFormatter::Verb(char32_t verb) {
  if (verb == U'%') {
    out_.push_back('%');
  } else if (!good_index_) {
    Complain(verb, "BADINDEX");
  } else if (next_ >= count()) {
    Complain(verb, "MISSING");
  } else {
    if (verb == U'v' || verb == U'w') {
      flags_.sharp_v = std::exchange(flags_.sharp, false);
      flags_.plus = false;
    }
    Print(At(next_++), verb);
  }
}

void GoFormatter::Complain(char32_t verb, std::string_view what) {
  out_.append("%!");
  AppendRune(verb, &out_);
  out_.append("(").append(what).append(")");
}

void GoFormatter::Extra() {
  flags_ = {};
  out_.append("%!(EXTRA ");
  for (std::uint32_t i = next_; i < count() && out_.size() <= limit_bytes_; ++i) {
    if (i > next_) {
      out_.append(", ");
    }
    const GoArgument argument = At(i);
    if (std::holds_alternative<GoNil>(argument)) {
      out_.append("<nil>");
      continue;
    }
    out_.append(GoTypeName(argument)).push_back('=');
    Print(argument, U'v');
  }
  out_.push_back(')');
}

GoArgument ToGoArgument(const Value& json) {
  if (json.is_null()) {
    return GoNil();
  }
  if (json.is_boolean()) {
    return json.is_true();
  }
  if (json.is_number()) {
    return GoJsonNumber{document::NumberText(json)};
  }
  return json.is_string() ? GoArgument(std::string(json.string())) : GoArgument(json);
}

std::string_view GoTypeName(const GoArgument& argument) {
  if (const auto* container = std::get_if<Value>(&argument)) {
    return container->is_object() ? "map[string]interface {}" : "[]interface {}";
  }
  constexpr std::string_view kNames[] = {"int64", "float64",     "*big.Int", "string",
                                         "<nil>", "json.Number", "bool",     "uint8",
                                         "int",   "complex128"};
  return kNames[argument.index()];
}

void FormatGo(std::string_view format, const Value& arguments, std::size_t limit_bytes,
              std::string* out) {
  GoFormatter(format, arguments, limit_bytes, out).Run();
}

void FormatGo(std::string_view format, std::span<const GoArgument> arguments,
              std::size_t limit_bytes, std::string* out) {
  GoFormatter(format, arguments, limit_bytes, out).Run();
}

void AppendGo(const GoArgument& argument, std::size_t limit_bytes, std::string* out) {
  GoFormatter({}, std::span<const GoArgument>(), limit_bytes, out).Print(argument, U'v');
}

}  // namespace portcullis::builtins
