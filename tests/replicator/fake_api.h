// The answers of an API server that has one kind (ConfigMap), as bytes, without a network: what the reflector's tests talk to.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::replicator {

class FakeApi {
 public:
  // One answer under way.
  struct Answer {
    int status = 200;
    std::string bytes;  // Not delivered yet.
    bool is_watch = false;
    std::uint64_t seen = 0;  // Of a watch: the version up to which events are in `bytes`.
  };

  std::map<std::string, std::string> objects;                      // "namespace/name" -> JSON
  std::vector<std::map<std::string, std::string>> states{{}, {}};  // By version.
  bool served = true;
  std::uint64_t oldest = 1;       // Positions before this are gone.
  std::optional<int> next_error;  // Status of the next answer.
  std::vector<std::string> requests;

  [[nodiscard]] std::uint64_t version() const { return states.size() - 1; }

  void Put(const std::string& name, int content) {
    const bool is_new = !objects.contains(name);
    const std::string json = ObjectJson(name, content, version() + 1);
    objects[name] = json;
    Record(is_new ? "ADDED" : "MODIFIED", json);
  }
  void Delete(std::string name) {
    const auto found = objects.find(name);
    if (found == objects.end()) {
      return;
    }
    objects.erase(found);
    Record("DELETED", ObjectJson(name, 0, version() + 1));
  }

  Answer Get(const std::string& path) {
    requests.push_back(path);
    Answer answer;
    if (next_error) {
      answer.status = *next_error;
      next_error.reset();
      answer.bytes = StatusJson(answer.status, "as the test wants it");
    } else if (path == "/api/v1") {
      answer.bytes = Discovery();
    } else if (!served) {
      answer.status = 404;
      answer.bytes = "404 page not found\n";
    } else if (path.find("watch=true") != std::string::npos) {
      answer = WatchFrom(std::strtoull(Parameter(path, "resourceVersion").c_str(), nullptr, 10));
    } else {
      answer = Page(std::strtoull(Parameter(path, "limit").c_str(), nullptr, 10),
                    Parameter(path, "continue"));
    }
    return answer;
  }
  // Adds to a watch what happened since.
  void Feed(Answer* watch) const {
    for (; watch->seen < version(); ++watch->seen) {
      watch->bytes += events_[watch->seen + 1];
    }
  }
  [[nodiscard]] std::string Bookmark(std::uint64_t at) const {
    return R"({"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":")" +
           std::to_string(at) + R"("}}})" + "\n";
  }
  [[nodiscard]] const std::string& EventAt(std::uint64_t at) const { return events_[at]; }
  static std::string StatusJson(int code, const std::string& message) {
    return R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":")" + message +
           R"(","code":)" + std::to_string(code) + "}";
  }
  static std::string ErrorEvent(int code) {
    return R"({"type":"ERROR","object":)" + StatusJson(code, "too old resource version") + "}\n";
  }
  // As the sink prints it: keys sorted.
  static std::string ObjectJson(const std::string& name, int content, std::uint64_t version) {
    const std::size_t slash = name.find('/');
    return R"({"apiVersion":"v1","data":{"value":")" + std::to_string(content) +
           R"("},"kind":"ConfigMap","metadata":{"name":")" + name.substr(slash + 1) +
           R"(","namespace":")" + name.substr(0, slash) + R"(","resourceVersion":")" +
           std::to_string(version) + R"("}})";
  }

 private:
  void Record(const std::string& type, const std::string& json) {
    states.push_back(objects);
    events_.resize(states.size());
    events_.back() = R"({"type":")" + type + R"(","object":)" + json + "}\n";
  }
  [[nodiscard]] std::string Discovery() const {
    std::string text = R"({"kind":"APIResourceList","groupVersion":"v1","resources":[)"
                       R"({"name":"configmaps/other","kind":"ConfigMap","verbs":["list","watch"]},)"
                       R"({"name":"bindings","kind":"Binding","verbs":["create"]})";
    if (served) {
      text +=
          R"(,{"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["get","list","watch"]})";
    }
    return text + "]}";
  }
  Answer WatchFrom(std::uint64_t from) const {
    Answer answer;
    answer.is_watch = true;
    answer.seen = from;
    if (from < oldest) {
      answer.bytes = ErrorEvent(410);
    } else if (from > version()) {
      answer.status = 504;
      answer.is_watch = false;
      answer.bytes = StatusJson(504, "Timeout: Too large resource version");
    }
    return answer;
  }
  // A continue token is "version:last name".
  Answer Page(std::size_t limit, const std::string& token) const {
    Answer answer;
    std::uint64_t at = version();
    std::string after;
    if (!token.empty()) {
      const std::size_t colon = token.find("%3A");
      at = std::strtoull(token.substr(0, colon).c_str(), nullptr, 10);
      after = token.substr(colon + 3);
      const std::size_t slash = after.find("%2F");
      after.replace(slash, 3, "/");
      if (at < oldest) {
        answer.status = 410;
        answer.bytes = StatusJson(410, "The provided continue parameter is too old");
        return answer;
      }
    }
    std::string items;
    std::string next;
    std::size_t count = 0;
    for (const auto& [name, json] : states[at]) {
      if (name <= after) {
        continue;
      }
      if (count == limit) {
        next = std::to_string(at) + ":" + after;
        break;
      }
      // A list leaves out what is the same for all.
      std::string item = json;
      item.erase(1, std::string_view(R"("apiVersion":"v1",)").size());
      item.erase(item.find(R"("kind":"ConfigMap",)"),
                 std::string_view(R"("kind":"ConfigMap",)").size());
      items += (count++ == 0 ? "" : ",") + item;
      after = name;
    }
    answer.bytes = R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
                   std::to_string(at) + R"(","continue":")" + next + R"("},"items":[)" + items +
                   "]}";
    return answer;
  }
  static std::string Parameter(const std::string& path, const std::string& name) {
    const std::size_t at = path.find(name + "=");
    if (at == std::string::npos) {
      return "";
    }
    const std::size_t begin = at + name.size() + 1;
    return path.substr(begin, path.find('&', begin) - begin);
  }

  std::vector<std::string> events_{"", ""};  // By version.
};

}  // namespace portcullis::replicator
