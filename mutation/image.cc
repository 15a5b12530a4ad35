#include "mutation/image.h"

#include <utility>

#include <re2/re2.h>

#include "rules/policy/kubernetes_text.h"

namespace portcullis::mutation {
namespace {

struct Split {
  std::string_view domain;
  std::string_view rest;
};

Split SplitDomain(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) {
    return {{}, name};
  }
  const std::string_view first = name.substr(0, slash);
  if (first.find_first_of(".:") == std::string_view::npos && first != "localhost") {
    return {{}, name};
  }
  return {first, name.substr(slash + 1)};
}

std::unexpected<Error> Invalid(std::string_view part, std::string_view value,
                               std::string_view what) {
  return Fail(ErrorCode::kInvalidArgument,
              std::string(part) + " " + policy::Quote(value) + " " + std::string(what));
}

}  // namespace

Result<void> CheckImageParts(const ImageParts& parts) {
  // A host with a dot in its name, or localhost; a port may follow.
  static const re2::RE2 kDomain(R"((\w[\w\-_]*\.[\w\-_\.]*\w|localhost)(:\d+)?)");
  // Parts of lower-case letters and digits, with one separator between two.
  static const re2::RE2 kPath(R"([a-z0-9]+((?:[._/]|__|-*)[a-z0-9]+)*)");
  static const re2::RE2 kTag(
      R"(:\w[\w.-]{0,127}|@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})");
  if (parts.domain.empty() && parts.path.empty() && parts.tag.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "at least one of [assignDomain, assignPath, assignTag] must be set");
  }
  if (!parts.domain.empty() && !re2::RE2::FullMatch(parts.domain, kDomain)) {
    return Invalid("assignDomain", parts.domain,
                   "must be a fully-qualified domain name or localhost");
  }
  if (!parts.path.empty() && !re2::RE2::FullMatch(parts.path, kPath)) {
    return Invalid("assignPath", parts.path, "must be a valid docker image path");
  }
  if (!parts.tag.empty() && !re2::RE2::FullMatch(parts.tag, kTag)) {
    return Invalid("assignTag", parts.tag,
                   "must be a valid docker image tag or digest starting with ':' or '@'");
  }
  if (parts.domain.empty() && !SplitDomain(parts.path).domain.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "assignDomain must be set if the first part of assignPath " +
                    policy::Quote(parts.path) + " can be interpretted as part of a domain");
  }
  return {};
}

std::string WithImageParts(std::string_view image, const ImageParts& parts) {
  const Split split = SplitDomain(image);
  const std::size_t tag = split.rest.find_first_of(":@");
  std::string result(parts.domain.empty() ? split.domain : std::string_view(parts.domain));
  if (!result.empty()) {
    result += '/';
  }
  result += parts.path.empty() ? split.rest.substr(0, tag) : std::string_view(parts.path);
  if (!parts.tag.empty()) {
    result += parts.tag;
  } else if (tag != std::string_view::npos) {
    result += split.rest.substr(tag);
  }
  return result;
}

}  // namespace portcullis::mutation
