#include "tools/rego_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/policy/kubernetes_text.h"
#include "tools/command.h"

namespace portcullis::tools {
namespace {

namespace fs = std::filesystem;
using document::Value;

constexpr std::string_view kFileScheme = "file://";

// data.a["b c"]
std::string ReferenceText(const std::vector<std::string>& path) {
  std::string text = "data";
  for (const std::string& key : path) {
    const bool plain = !key.empty() &&
                       key.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_") == std::string::npos &&
                       (key[0] < '0' || key[0] > '9');
    text += plain ? "." + key : "[" + policy::Quote(key) + "]";
  }
  return text;
}

// Both objects in one. Where both have a value that is no object, the path there stays in `conflict`.
Value Merge(const Value& a, const Value& b, std::vector<std::string>* conflict,
            document::Arena& arena) {
  document::ObjectBuilder merged(arena);
  for (std::uint32_t i = 0; i < a.size(); ++i) {
    merged.Add(a.KeyAt(i), a.ValueAt(i));
  }
  for (std::uint32_t i = 0; i < b.size(); ++i) {
    const Value key = b.KeyAt(i);
    const Value before = a.Find(key);
    Value value = b.ValueAt(i);
    if (before.is_defined()) {
      conflict->emplace_back(key.string());
      if (!before.is_object() || !value.is_object()) {
        return {};
      }
      value = Merge(before, value, conflict, arena);
      if (value.is_undefined()) {
        return {};
      }
      conflict->pop_back();
    }
    merged.Add(key, value);
  }
  return merged.Finish();
}

class Loader {
 public:
  Loader(RegoFileKinds kinds, rego::Version version, document::Arena& arena, Timers* timers)
      : kinds_(kinds), version_(version), arena_(arena), timers_(timers) {
    files_.data = Value::Object({});
  }

  void Load(const std::string& given) {
    std::vector<std::string> prefix;
    std::string path = given;
    const std::size_t colon = path.find(':');
    if (path.starts_with(kFileScheme)) {
      path.erase(0, kFileScheme.size());
    } else if (colon != std::string::npos && colon > 0 && path.find("://") != colon) {
      for (std::size_t begin = 0; begin <= colon;) {
        const std::size_t end = std::min(path.find('.', begin), colon);
        prefix.push_back(path.substr(begin, end - begin));
        begin = end + 1;
      }
      path.erase(0, colon + 1);
    }
    LoadPath(path, prefix, 0);
  }

  Reported<RegoFiles> Finish() {
    if (!errors_.empty()) {
      return std::unexpected(std::move(errors_));
    }
    return std::move(files_);
  }

 private:
  struct Document {
    std::string file;
    Value value;  // Hung below its prefix.
  };

  template <class Function>
  auto Timed(const char* name, const Function& function) {
    return timers_ == nullptr ? function() : timers_->Time(name, function);
  }

  void Fail(std::string text) {
    errors_.push_back({.text = text, .message = text, .code = {}, .location = {}, .details = {}});
  }

  void LoadPath(const fs::path& path, std::vector<std::string> prefix, int depth) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      Fail("stat " + path.string() + ": " + policy::LowerCase(error.message()));
      return;
    }
    if (!fs::is_directory(status)) {
      std::string key = path.lexically_normal().string();
      for (const std::string& part : prefix) {
        key += '\0' + part;
      }
      if (seen_.insert(std::move(key)).second) {
        LoadFile(path.lexically_normal(), prefix, depth);
      }
      return;
    }
    if (depth > 0) {
      prefix.push_back(path.filename().string());
    }
    std::vector<fs::path> entries;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      entries.push_back(at->path());
    }
    if (error) {
      Fail("open " + path.string() + ": " + policy::LowerCase(error.message()));
    }
    std::ranges::sort(entries);
    for (const fs::path& entry : entries) {
      LoadPath(entry, prefix, depth + 1);
    }
  }

  void LoadFile(const fs::path& path, const std::vector<std::string>& prefix, int depth) {
    const std::string ending = path.extension().string();
    const bool rego = ending == ".rego";
    const bool document = ending == ".json" || ending == ".yaml" || ending == ".yml";
    if (!rego && (kinds_ == RegoFileKinds::kPoliciesOnly || (depth > 0 && !document))) {
      return;
    }
    const Result<std::string> text = ReadFile(path.string());
    if (!text) {
      Fail(text.error().ToString());
      return;
    }
    if (document) {
      AddDocument(path.string(), *text, prefix);
      return;
    }
    auto module = Timed("timer_rego_module_parse_ns", [&] {
      return rego::ParseModule(path.string(), *text, version_, rego::Annotations::kRead);
    });
    if (module) {
      files_.modules.push_back(*std::move(module));
    } else if (rego) {
      std::ranges::move(ReportOf(module.error()), std::back_inserter(errors_));
    } else if (ParseRegoDocument(*text, arena_)) {
      AddDocument(path.string(), *text, prefix);
    } else {
      Fail(path.string() + ": can't recognize file type");
    }
  }

  void AddDocument(const std::string& file, const std::string& text,
                   const std::vector<std::string>& prefix) {
    const Result<Value> parsed =
        Timed("timer_rego_data_parse_ns", [&] { return ParseRegoDocument(text, arena_); });
    if (!parsed) {
      Fail(file + ": " + parsed.error().ToString());
      return;
    }
    Value value = *parsed;
    for (std::size_t i = prefix.size(); i-- > 0;) {
      document::ObjectBuilder below(arena_);
      below.Add(Value::String(arena_.CopyString(prefix[i])), value);
      value = below.Finish();
    }
    if (!value.is_object()) {
      Fail(file + ": document must be of type object");
      return;
    }
    std::vector<std::string> conflict;
    const Value merged = Merge(files_.data, value, &conflict, arena_);
    if (merged.is_defined()) {
      files_.data = merged;
      documents_.push_back({file, value});
      return;
    }
    const auto other = std::ranges::find_if(documents_, [&conflict](const Document& each) {
      Value at = each.value;
      for (const std::string& key : conflict) {
        at = at.is_object() ? at.Find(key) : Value();
      }
      return at.is_defined();
    });
    Fail(file + ": merge error: conflicting values at " + ReferenceText(conflict) +
         (other == documents_.end() ? ", data from multiple files must not overlap"
                                    : ", also defined in " + other->file));
  }

  const RegoFileKinds kinds_;
  const rego::Version version_;
  document::Arena& arena_;
  Timers* const timers_;
  RegoFiles files_;
  std::vector<ReportedError> errors_;
  std::set<std::string> seen_;
  std::vector<Document> documents_;
};

}  // namespace

Result<Value> ParseRegoDocument(const std::string& text, document::Arena& arena) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  constexpr std::string_view kJsonBegins = "{[\"-0123456789";
  if (first != std::string::npos && kJsonBegins.find(text[first]) != std::string_view::npos) {
    Result<Value> json =
        document::ParseJson(text, arena, {.duplicates = document::DuplicateKeys::kKeepLast});
    if (json) {
      return json;
    }
  }
  const auto documents =
      TRY(document::ParseYaml(text, arena, {.dialect = document::YamlDialect::kVersion3}));
  return documents.empty() ? Value::Null() : documents.front().value;
}

Reported<RegoFiles> LoadRegoFiles(const std::vector<std::string>& paths, RegoFileKinds kinds,
                                  rego::Version version, document::Arena& arena, Timers* timers) {
  Loader loader(kinds, version, arena, timers);
  for (const std::string& path : paths) {
    loader.Load(path);
  }
  return loader.Finish();
}

}  // namespace portcullis::tools
