// Structured log lines, one JSON object a line on standard error, with the keys that Gatekeeper's zap encoder uses:
//   {"level":"info","ts":1764000000.123,"logger":"replicator","msg":"listed","kind":"Ingress","objects":10000}
// THREADS: a Logger may be used from any thread.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog {
class logger;
}

namespace portcullis {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

// A value that is JSON already: an object, an array. On one line.
struct JsonText {
  std::string_view text;
};

struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool, JsonText> value;
};

class Logger {
 public:
  // Writes to standard error what is at least as grave as `level`. An empty `file` means standard error.
  static std::shared_ptr<Logger> Create(LogLevel level, const std::string& file = {});
  // Writes nothing.
  static std::shared_ptr<Logger> Silent();

  // The same sink under another "logger" name.
  [[nodiscard]] std::shared_ptr<Logger> Named(std::string name) const;

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields) const;
  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields = {}) const {
    Write(level, message, std::span(fields.begin(), fields.size()));
  }
  void Debug(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warning(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kWarning, message, fields);
  }
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kError, message, fields);
  }

 private:
  Logger(std::shared_ptr<spdlog::logger> sink, std::string name);
  std::shared_ptr<spdlog::logger> sink_;
  std::string name_;
};

}  // namespace portcullis
