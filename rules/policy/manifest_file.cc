#include "rules/policy/manifest_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "document/yaml.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {

using document::Value;

Result<std::string> ReadTextFile(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    const int code = errno != 0 ? errno : EISDIR;
    return Fail(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                "open " + path.string() + ": " + LowerCase(std::strerror(code)));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::vector<Value>> ReadObjects(const std::filesystem::path& path, document::Arena& arena,
                                       document::NumberMode numbers) {
  const std::string text = TRY(ReadTextFile(path));
  const std::string context = "reading " + Quote(path.string()) + ": invalid yaml: ";
  const auto documents = document::ParseYaml(text, arena, {.numbers = numbers, .file = {}});
  if (!documents) {
    return Fail(documents.error().code, context + documents.error().ToString());
  }
  std::vector<Value> objects;
  for (const document::YamlDocument& document : *documents) {
    if (document.value.GetString({"kind"}).empty()) {
      return Fail(ErrorCode::kInvalidArgument, context + "Object 'Kind' is missing in '" +
                                                   document::ToJson(document.value) + "'");
    }
    objects.push_back(document.value);
  }
  if (objects.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "missing objects: path " + Quote(path.string()) + " defines no YAML objects");
  }
  return objects;
}

}  // namespace portcullis::policy
