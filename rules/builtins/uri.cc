// uri.parse and uri.is_valid: RFC 3986 as Go's net/url reads it.

#include "rules/builtins/uri.h"

#include <algorithm>
#include <string>

#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using Text = std::expected<std::string, std::string>;

enum class Part : std::uint8_t { kUserinfo, kHost, kZone, kPath, kFragment };

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool FitsHost(char c) {
  return IsAlphanumeric(c) || std::string_view("-_.~!$&'()*+,;=:[]<>\"").contains(c);
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
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    const std::string_view escape = text.substr(i, 3);
    // A host may only escape bytes beyond ASCII.
    if (low < 0 || (part == Part::kHost && high < 8 && escape != "%25")) {
      return std::unexpected(Quoted("invalid URL escape ", escape));
    }
    plain.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return plain;
}

std::string EscapePath(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    if (IsAlphanumeric(c) || std::string_view("-_.~$&+,/:;=@").contains(c)) {
      escaped.push_back(c);
    } else {
      escaped.push_back('%');
      escaped.push_back("0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4]);
      escaped.push_back("0123456789ABCDEF"[static_cast<unsigned char>(c) & 0xF]);
    }
  }
  return escaped;
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

Text ParseHost(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t close = host.rfind(']');
    if (close == host.npos) {
      return std::unexpected("missing ']' in host");
    }
    if (!IsOptionalPort(host.substr(close + 1))) {
      return std::unexpected(Quoted("invalid port ", host.substr(close + 1), " after host"));
    }
    const std::size_t zone = host.substr(0, close).find("%25");
    if (zone != host.npos) {
      const Text address = Unescape(host.substr(0, zone), Part::kHost);
      if (!address) {
        return address;
      }
      const Text name = Unescape(host.substr(zone, close - zone), Part::kZone);
      if (!name) {
        return name;
      }
      const Text rest = Unescape(host.substr(close), Part::kHost);
      if (!rest) {
        return rest;
      }
      return *address + *name + *rest;
    }
  } else if (const std::size_t colon = host.find(':');
             colon != host.npos && !IsOptionalPort(host.substr(colon))) {
    return std::unexpected(Quoted("invalid port ", host.substr(colon), " after host"));
  }
  return Unescape(host, Part::kHost);
}

Text ParseAuthority(std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  if (at == authority.npos) {
    return ParseHost(authority);
  }
  const std::string_view user = authority.substr(0, at);
  const bool valid = std::ranges::all_of(user, [](char c) {
    return IsAlphanumeric(c) || std::string_view("-._:~!$&'()*+,;=%@").contains(c);
  });
  if (!valid) {
    return std::unexpected("net/url: invalid userinfo");
  }
  if (const Text plain = Unescape(user, Part::kUserinfo); !plain) {
    return plain;
  }
  return ParseHost(authority.substr(at + 1));
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
    uri.query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  if (!rest.starts_with('/')) {
    if (!uri.scheme.empty()) {
      return uri;  // Opaque: "mailto:a@b".
    }
    if (rest.substr(0, rest.find('/')).contains(':')) {
      return std::unexpected("first path segment in URL cannot contain colon");
    }
  }
  if ((!uri.scheme.empty() || !rest.starts_with("///")) && rest.starts_with("//")) {
    const std::size_t slash = std::min(rest.find('/', 2), rest.size());
    Text host = ParseAuthority(rest.substr(2, slash - 2));
    if (!host) {
      return std::unexpected(host.error());
    }
    uri.host = *std::move(host);
    rest.remove_prefix(slash);
  }
  Text path = Unescape(rest, Part::kPath);
  if (!path) {
    return std::unexpected(path.error());
  }
  uri.path = *std::move(path);
  if (EscapePath(uri.path) != rest) {
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
  return raw_path.empty() ? EscapePath(path) : raw_path;
}

std::expected<Uri, std::string> ParseUri(std::string_view text) {
  const std::size_t hash = std::min(text.find('#'), text.size());
  const std::string_view before = text.substr(0, hash);
  auto uri = ParseWithoutFragment(before);
  if (!uri) {
    return std::unexpected(Quoted("parse ", before, ": " + uri.error()));
  }
  const Text fragment = Unescape(text.substr(std::min(hash + 1, text.size())), Part::kFragment);
  if (!fragment) {
    return std::unexpected(Quoted("parse ", text, ": " + fragment.error()));
  }
  uri->fragment = *fragment;
  return uri;
}

std::span<const Builtin> UriBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
