#include "mutation/external_data.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "mutation/go_value.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::mutation {

using document::Value;

namespace {

// What a provider said, or why it said nothing.
struct Answered {
  std::string error;  // Empty: there are items.
  std::map<std::string, ExternalDataItem> items;
};

class Resolver {
 public:
  Resolver(const SourceOf& source_of, ExternalDataClient* client, document::Arena& arena)
      : source_of_(source_of), client_(client), arena_(arena) {}

  Result<Value> Run(const Value& object) {
    CollectKeys(object);
    if (keys_.empty()) {
      return object;
    }
    if (client_ == nullptr) {
      return Fail(ErrorCode::kUnavailable, "providers are asked by a server alone");
    }
    for (const auto& [provider, keys] : keys_) {
      Ask(provider, keys);
    }
    Value resolved = Resolve(object);
    if (problems_.empty()) {
      return resolved;
    }
    return Fail(ErrorCode::kUnavailable, policy::Aggregate(problems_));
  }

 private:
  void CollectKeys(const Value& value) {
    if (IsPlaceholder(value)) {
      keys_[source_of_(PlaceholderSource(value)).provider].emplace(PlaceholderKey(value));
    } else if (value.is_array()) {
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        CollectKeys(value.ItemAt(i));
      }
    } else if (value.is_object()) {
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        CollectKeys(value.ValueAt(i));
      }
    }
  }

  void Ask(const std::string& provider, const std::set<std::string>& keys) {
    Answered& answered = answers_[provider];
    Result<ExternalDataAnswer> answer = client_->Ask(provider, keys, arena_);
    if (!answer) {
      answered.error = answer.error().code == ErrorCode::kNotFound
                           ? "failed to find external data provider " + provider + " in responses"
                           : "failed to send external data request to provider " + provider + ": " +
                                 answer.error().message;
      return;
    }
    const std::string invalid =
        "failed to validate external data response from provider " + provider + ": ";
    const std::size_t begin = answer->system_error.find_first_not_of(" \t\r\n\v\f");
    if (begin != std::string::npos) {
      const std::size_t end = answer->system_error.find_last_not_of(" \t\r\n\v\f");
      answered.error = invalid + "non-empty system error: " +
                       answer->system_error.substr(begin, end - begin + 1);
      return;
    }
    if (!answer->idempotent) {
      answered.error = invalid + "non-idempotent response";
      return;
    }
    for (ExternalDataItem& item : answer->items) {
      std::string key = item.key;
      answered.items[std::move(key)] = std::move(item);
    }
  }

  Value Resolve(const Value& value) {
    if (value.is_array()) {
      Value list = value;
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        list = WithItem(list, i, Resolve(value.ItemAt(i)), arena_);
      }
      return list;
    }
    if (!value.is_object()) {
      return value;
    }
    Value object = value;
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value member = value.ValueAt(i);
      const Value resolved = IsPlaceholder(member) ? Answer(member) : Resolve(member);
      object = WithMember(object, value.KeyAt(i).string(), resolved, arena_);
    }
    return object;
  }

  Value Answer(const Value& placeholder) {
    const ExternalDataSource& source = source_of_(PlaceholderSource(placeholder));
    const std::string_view key = PlaceholderKey(placeholder);
    std::string text;
    std::string problem = Find(source.provider, std::string(key), &text);
    if (problem.empty()) {
      return Value::String(arena_.CopyString(text));
    }
    switch (source.failure_policy) {
      case FailurePolicy::kFail:
        problems_.push_back(std::move(problem));
        return placeholder;
      case FailurePolicy::kIgnore:
        return Value::String(key);
      case FailurePolicy::kUseDefault:
        return Value::String(arena_.CopyString(source.default_value));
      case FailurePolicy::kNone:
        return Value::String("");
    }
    return placeholder;
  }

  // The problem; empty: `text` is the answer.
  std::string Find(const std::string& provider, const std::string& key, std::string* text) {
    const Answered& answered = answers_[provider];
    if (!answered.error.empty()) {
      return answered.error;
    }
    const auto found = answered.items.find(key);
    if (found == answered.items.end()) {
      return "failed to find external data item in response for provider " + provider;
    }
    if (!found->second.error.empty()) {
      return "failed to retrieve external data item from provider " + provider + ": " +
             found->second.error;
    }
    if (!found->second.value.is_string()) {
      return "failed to convert external data item value from provider " + provider +
             " to string, got type " +
             std::string(found->second.value.is_number() ? "float64"
                                                         : GoTypeOf(found->second.value));
    }
    *text = std::string(found->second.value.string());
    return {};
  }

  const SourceOf& source_of_;
  ExternalDataClient* const client_;
  document::Arena& arena_;
  std::map<std::string, std::set<std::string>> keys_;
  std::map<std::string, Answered> answers_;
  std::vector<std::string> problems_;
};

}  // namespace

Result<Value> ResolvePlaceholders(const Value& object, const SourceOf& source_of,
                                  ExternalDataClient* client, document::Arena& arena) {
  return Resolver(source_of, client, arena).Run(object);
}

}  // namespace portcullis::mutation
