#include "mutation/provider.h"

#include <string_view>
#include <utility>

#include "rules/builtins/codec.h"

namespace portcullis::mutation {
namespace {

constexpr std::chrono::seconds kDefaultTimeout{5};

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

Result<std::string> Authorities(std::string_view bundle) {
  if (bundle.empty()) {
    return Invalid("caBundle should be set for HTTPS scheme");
  }
  auto decoded =
      builtins::DecodeBase64(bundle, builtins::Base64::kStandard, builtins::Padding::kRequired);
  if (!decoded) {
    return Invalid("failed to base64 decode caBundle: illegal base64 data at input byte " +
                   std::to_string(decoded.error()));
  }
  if (decoded->find("-----BEGIN ") == std::string::npos ||
      decoded->find("-----END ") == std::string::npos) {
    return Invalid("bad caBundle");
  }
  return *std::move(decoded);
}

}  // namespace

Result<Provider> ReadProvider(const document::Value& object) {
  const document::Value spec = object.Find("spec");
  Provider provider;
  if (object.GetString({"metadata", "name"}).empty()) {
    return Invalid("provider name can not be empty. value ");
  }
  provider.url = std::string(spec.GetString({"url"}));
  if (provider.url.empty()) {
    return Invalid("invalid provider url. value: ");
  }
  const document::Value timeout = spec.Find("timeout");
  const std::int64_t seconds =
      timeout.is_number() ? document::ToInt64(timeout).value_or(0) : std::int64_t{0};
  if (seconds < 0) {
    return Invalid("provider timeout should be a positive integer. value: " +
                   std::to_string(seconds));
  }
  provider.timeout = seconds == 0 ? kDefaultTimeout : std::chrono::seconds(seconds);
  if (!provider.url.starts_with("https://")) {
    return Invalid("only HTTPS scheme is supported for Providers");
  }
  provider.authorities = TRY(Authorities(spec.GetString({"caBundle"})));
  return provider;
}

}  // namespace portcullis::mutation
