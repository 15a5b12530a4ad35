// uri.parse and uri.is_valid: RFC 3986 as Go's net/url reads it.

#include "rules/builtins/uri.h"

#include <algorithm>
#include <string>

#include "document/hex.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/ip.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using Text = std::expected<std::string, std::string>;

enum class Part : std::uint8_t { kUserinfo, kHost, kZone, kPath, kFragment };

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Which characters beside letters and digits each part shows as they are.
constexpr std::string_view kPathMarks = "-_.~$&+,/:;=@";
constexpr std::string_view kFragmentMarks = "-_.~$&+,/:;=?@!()*";
constexpr std::string_view kUserMarks = "-_.~$&+,;=";
constexpr std::string_view kHostMarks = "-_.~!$&'()*+,;=:[]<>\"";

bool FitsHost(char c) {
  return IsAlphanumeric(c) || kHostMarks.contains(c);
}

std::string Quoted(std::string_view prefix, std::string_view text, std::string_view suffix = {}) {
  std::string message(prefix);
  AppendGoQuoted(text, &message);
  return message.append(suffix);
}

Text Unescape(std::string_view text, Part part) {
  std::string plain;
  const bool host = part == Part::kHost || part == Part::kZone;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (host && static_cast<unsigned char>(text[i]) < 0x80 && !FitsHost(text[i])) {
        return std::unexpected(Quoted("invalid character ", text.substr(i, 1), " in host name"));
      }
      plain.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? document::HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? document::HexDigit(text[i + 2]) : -1;
    const std::string_view escape = text.substr(i, 3);
    const char byte = static_cast<char>(high << 4 | low);
    // A host may only escape bytes beyond ASCII; a zone what it could also write, and spaces.
    const bool refused = (part == Part::kHost && high < 8) ||
                         (part == Part::kZone && byte != ' ' && !FitsHost(byte));
    if (low < 0 || (refused && escape != "%25")) {
      return std::unexpected(Quoted("invalid URL escape ", escape));
    }
    plain.push_back(byte);
    i += 2;
  }
  return plain;
}

std::string Escape(std::string_view text, std::string_view marks) {
  std::string escaped;
  for (const char c : text) {
    if (IsAlphanumeric(c) || marks.contains(c)) {
      escaped.push_back(c);
    } else {
      escaped.push_back('%');
      escaped.push_back("0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4]);
      escaped.push_back("0123456789ABCDEF"[static_cast<unsigned char>(c) & 0xF]);
    }
  }
  return escaped;
}

// Whether `raw` may stand for a part as it is written.
bool IsValidEncoding(std::string_view raw, std::string_view marks) {
  return std::ranges::all_of(raw, [&](char c) {
    return IsAlphanumeric(c) || marks.contains(c) ||
           std::string_view("!$&'()*+,;=:@[]%").contains(c);
  });
}

bool IsOptionalPort(std::string_view text) {
  return text.empty() ||
         (text.front() == ':' && text.find_first_not_of("0123456789", 1) == text.npos);
}

// What stands before the first colon, where it is a scheme at all.
Text TakeScheme(std::string_view* rest) {
  for (std::size_t i = 0; i < rest->size(); ++i) {
    const char c = (*rest)[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      continue;
    }
    if (i > 0 && (IsAlphanumeric(c) || c == '+' || c == '-' || c == '.')) {
      continue;
    }
    if (c != ':') {
      return std::string();
    }
    if (i == 0) {
      return std::unexpected("missing protocol scheme");
    }
    std::string scheme(rest->substr(0, i));
    for (char& letter : scheme) {
      letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
    }
    rest->remove_prefix(i + 1);
    return scheme;
  }
  return std::string();
}

// "[fe80::1%25eth0]:80", without the port's check.
Text ParseBracketedHost(std::string_view host) {
  const std::size_t close = host.rfind(']');
  if (close == host.npos) {
    return std::unexpected("missing ']' in host");
  }
  const std::string_view port = host.substr(close + 1);
  if (!IsOptionalPort(port)) {
    return std::unexpected(Quoted("invalid port ", port, " after host"));
  }
  const std::string_view name = host.substr(1, close - 1);
  const std::size_t zone_begin = std::min(name.find("%25"), name.size());
  const Text address = Unescape(name.substr(0, zone_begin), Part::kHost);
  if (!address) {
    return address;
  }
  const Text zone = Unescape(name.substr(zone_begin), Part::kZone);
  if (!zone) {
    return zone;
  }
  const std::string plain = *address + *zone;
  if (const auto fault = IpFault(plain)) {
    return std::unexpected("invalid host: " + *fault);
  }
  if (!address->contains(':')) {
    return std::unexpected("invalid IP-literal");
  }
  return "[" + plain + "]" + std::string(port);
}

Text ParseHost(std::string_view scheme, std::string_view host) {
  const std::size_t bracket = host.rfind('[');
  if (bracket == 0) {
    return ParseBracketedHost(host);
  }
  if (bracket != host.npos) {
    return std::unexpected("invalid IP-literal");
  }
  // Only web addresses may not have several colons.
  const std::size_t colon =
      scheme == "http" || scheme == "https" ? host.find(':') : host.rfind(':');
  if (colon != host.npos && !IsOptionalPort(host.substr(colon))) {
    return std::unexpected(Quoted("invalid port ", host.substr(colon), " after host"));
  }
  return Unescape(host, Part::kHost);
}

// The name and the password of an authority, escaped anew.
Text ParseUser(std::string_view user) {
  const bool valid = std::ranges::all_of(user, [](char c) {
    return IsAlphanumeric(c) || std::string_view("-._:~!$&'()*+,;=%@").contains(c);
  });
  if (!valid) {
    return std::unexpected("net/url: invalid userinfo");
  }
  const std::size_t colon = user.find(':');
  const Text name = Unescape(user.substr(0, colon), Part::kUserinfo);
  if (!name || colon == user.npos) {
    return name ? Text(Escape(*name, kUserMarks)) : name;
  }
  const Text password = Unescape(user.substr(colon + 1), Part::kUserinfo);
  if (!password) {
    return password;
  }
  return Escape(*name, kUserMarks) + ":" + Escape(*password, kUserMarks);
}

// ERRORS: as ParseUri.
std::expected<void, std::string> ParseAuthority(std::string_view authority, Uri* uri) {
  const std::size_t at = authority.rfind('@');
  Text host = ParseHost(uri->scheme, at == authority.npos ? authority : authority.substr(at + 1));
  if (!host) {
    return std::unexpected(host.error());
  }
  uri->host = *std::move(host);
  if (at != authority.npos) {
    Text user = ParseUser(authority.substr(0, at));
    if (!user) {
      return std::unexpected(user.error());
    }
    uri->user = *std::move(user);
  }
  return {};
}

// Everything but the fragment.
std::expected<Uri, std::string> ParseWithoutFragment(std::string_view text) {
  Uri uri;
  if (std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7F; })) {
    return std::unexpected("net/url: invalid control character in URL");
  }
  std::string_view rest = text;
  if (rest == "*") {
    uri.path = "*";
    return uri;
  }
  Text scheme = TakeScheme(&rest);
  if (!scheme) {
    return std::unexpected(scheme.error());
  }
  uri.scheme = *std::move(scheme);
  if (const std::size_t mark = rest.find('?'); mark != rest.npos) {
    uri.force_query = mark + 1 == rest.size();
    uri.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with('/')) {
    if (!uri.scheme.empty()) {
      uri.opaque = rest;
      return uri;
    }
    if (rest.substr(0, rest.find('/')).contains(':')) {
      return std::unexpected("first path segment in URL cannot contain colon");
    }
  }
  if ((!uri.scheme.empty() || !rest.starts_with("///")) && rest.starts_with("//")) {
    const std::size_t slash = std::min(rest.find('/', 2), rest.size());
    const auto authority = ParseAuthority(rest.substr(2, slash - 2), &uri);
    if (!authority) {
      return std::unexpected(authority.error());
    }
    rest.remove_prefix(slash);
  } else {
    uri.omit_host = !uri.scheme.empty() && rest.starts_with('/');
  }
  Text path = Unescape(rest, Part::kPath);
  if (!path) {
    return std::unexpected(path.error());
  }
  uri.path = *std::move(path);
  if (Escape(uri.path, kPathMarks) != rest) {
    uri.raw_path = rest;
  }
  return uri;
}

Value Parse(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto uri = ParseUri(*text);
  if (!uri) {
    return context.Fail(uri.error());
  }
  document::ObjectBuilder object(context.arena);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      object.Add(name, MakeString(context, value));
    }
  };
  std::string_view host = uri->host;
  const std::size_t colon = host.rfind(':');
  if (colon != host.npos && IsOptionalPort(host.substr(colon))) {
    add("port", host.substr(colon + 1));
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  add("hostname", host);
  add("scheme", uri->scheme);
  add("path", uri->path);
  if (!uri->path.empty()) {
    add("raw_path", uri->raw_path.empty() ? uri->path : uri->raw_path);
  }
  add("raw_query", uri->query);
  add("fragment", uri->fragment);
  return object.Finish();
}

Value IsValid(CallContext&, Arguments arguments) {
  const Value& text = arguments[0];
  return Value::Boolean(text.is_string() && !text.string().empty() &&
                        ParseUri(text.string()).has_value());
}

constexpr Builtin kBuiltins[] = {
    {.name = "uri.parse", .type = "(string) -> object[string: string]", .function = Parse},
    {.name = "uri.is_valid", .type = "(string) -> boolean", .function = IsValid},
};

}  // namespace

std::string Uri::EscapedPath() const {
  if (!raw_path.empty() && IsValidEncoding(raw_path, kPathMarks)) {
    return raw_path;
  }
  return path == "*" ? path : Escape(path, kPathMarks);
}

std::string Uri::Text() const {
  std::string text = scheme.empty() ? "" : scheme + ":";
  if (!opaque.empty()) {
    text.append(opaque);
  } else {
    if ((!scheme.empty() && !omit_host && !path.empty()) || !host.empty() || user) {
      text.append("//").append(user ? *user + "@" : "").append(Escape(host, kHostMarks));
    }
    const std::string escaped = EscapedPath();
    if (!escaped.empty() && escaped[0] != '/' && !host.empty()) {
      text.push_back('/');
    }
    if (text.empty() && escaped.substr(0, escaped.find('/')).contains(':')) {
      text.append("./");
    }
    text.append(escaped);
  }
  if (force_query || !query.empty()) {
    text.append("?").append(query);
  }
  if (!fragment.empty()) {
    text.append("#").append(!raw_fragment.empty() && IsValidEncoding(raw_fragment, kFragmentMarks)
                                ? raw_fragment
                                : Escape(fragment, kFragmentMarks));
  }
  return text;
}

std::expected<Uri, std::string> ParseUri(std::string_view text) {
  const std::size_t hash = std::min(text.find('#'), text.size());
  const std::string_view before = text.substr(0, hash);
  auto uri = ParseWithoutFragment(before);
  if (!uri) {
    return std::unexpected(Quoted("parse ", before, ": " + uri.error()));
  }
  const std::string_view raw = text.substr(std::min(hash + 1, text.size()));
  const auto fragment = Unescape(raw, Part::kFragment);
  if (!fragment) {
    return std::unexpected(Quoted("parse ", text, ": " + fragment.error()));
  }
  uri->fragment = *fragment;
  if (Escape(*fragment, kFragmentMarks) != raw) {
    uri->raw_fragment = raw;
  }
  return uri;
}

std::span<const Builtin> UriBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
