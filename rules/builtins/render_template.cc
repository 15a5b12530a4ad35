// strings.render_template. SOURCE: OPA's policy reference, "Strings".

#include <string>

#include "document/json.h"
#include "document/utf8.h"
#include "document/walk_guard.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_template.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::builtins {
namespace {

// OPA hands the variables over as the text of the Rego term, read as JSON. What of it is no JSON is complained of in the
// words of Go's decoder; empty where all is well.
class JsonComplaint {
 public:
  static std::string Of(const Value& value) {
    JsonComplaint complaint;
    complaint.Look(value);
    return complaint.text_;
  }

 private:
  void Look(const Value& value) {
    if (!document::MayWalk(value.size())) {
      return;
    }
    if (value.is_string()) {
      LookAtText(value.string());
    } else if (value.is_set()) {
      LookAtSet(value);
    } else if (value.is_object()) {
      for (std::uint32_t i = 0; i < value.size() && text_.empty(); ++i) {
        if (LookAtKey(value.KeyAt(i))) {
          Look(value.ValueAt(i));
        }
      }
    } else {
      for (std::uint32_t i = 0; i < value.size() && text_.empty(); ++i) {
        Look(value.ItemAt(i));
      }
    }
  }

  // False after a complaint.
  bool LookAtKey(const Value& key) {
    if (key.is_string()) {
      LookAtText(key.string());
    } else {
      Invalid(document::ToRego(key)[0], " looking for beginning of object key string");
    }
    return text_.empty();
  }

  void LookAtSet(const Value& set) {
    if (set.size() == 0) {
      Invalid('s', " looking for beginning of value");
    } else if (LookAtKey(set.ItemAt(0))) {
      Invalid(set.size() == 1 ? '}' : ',', " after object key");
    }
  }

  // Rego's escapes that JSON does not have.
  void LookAtText(std::string_view text) {
    const std::string quoted = document::ToRego(Value::String(text));
    for (std::size_t i = 0; i + 1 < quoted.size(); ++i) {
      if (quoted[i] != '\\') {
        continue;
      }
      if (std::string_view("avxU").contains(quoted[++i])) {
        return Invalid(quoted[i], " in string escape code");
      }
    }
  }

  void Invalid(char c, std::string_view where) {
    text_ = "invalid character '" + std::string(1, c) + "'" + std::string(where);
  }

  std::string text_;
};

// Go's text for no value becomes OPA's.
std::string WithUndefined(std::string_view text) {
  constexpr std::string_view kNoValue = "<no value>";
  std::string result;
  for (std::size_t at = text.find(kNoValue); at != text.npos; at = text.find(kNoValue)) {
    result.append(text.substr(0, at)).append("<undefined>");
    text.remove_prefix(at + kNoValue.size());
  }
  return result.append(text);
}

Value Render(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text || !ObjectOperand(context, arguments, 2)) {
    return {};
  }
  if (std::string complaint = JsonComplaint::Of(arguments[1]); !complaint.empty()) {
    return context.Fail(std::move(complaint));
  }
  std::string error;
  const auto parsed = context.prepared.Get<ParsedTemplate>(
      "template", *text, [&]() -> std::shared_ptr<const ParsedTemplate> {
        auto made = ParseGoTemplate(*text);
        if (made) {
          return std::make_shared<const ParsedTemplate>(*std::move(made));
        }
        error = std::move(made).error();
        return nullptr;
      });
  if (!parsed) {
    return context.Fail(std::move(error));
  }
  auto rendered = ExecuteGoTemplate(context, *parsed, arguments[1]);
  if (!rendered) {
    return {};
  }
  return MakeString(context, WithUndefined(*rendered));
}

constexpr Builtin kBuiltins[] = {
    {.name = "strings.render_template",
     .type = "(string, object[string: any]) -> string",
     .function = Render},
};

}  // namespace

std::span<const Builtin> TemplateBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
