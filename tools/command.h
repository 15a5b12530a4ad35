// What the sub-commands of `portcullis` share. Each lives in a file of its own and offers one function that adds it to the
// program; its callback runs it and leaves the exit code.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

enum ExitCode : int {
  kExitOk = 0,      // Done; for a review: allowed.
  kExitDenied = 1,  // The review was denied, the check found something, the two differ.
  kExitError = 2,   // It could not be done; the reason is on standard error.
};

void AddServe(CLI::App& program, int* exit_code);
void AddReview(CLI::App& program, int* exit_code);
void AddExplain(CLI::App& program, int* exit_code);
void AddInstall(CLI::App& program, int* exit_code);
void AddInventory(CLI::App& program, int* exit_code);
void AddMutate(CLI::App& program, int* exit_code);
void AddCheck(CLI::App& program, int* exit_code);
void AddEval(CLI::App& program, int* exit_code);
void AddTest(CLI::App& program, int* exit_code);
void AddExpand(CLI::App& program, int* exit_code);
void AddVerify(CLI::App& program, int* exit_code);
void AddViolations(CLI::App& program, int* exit_code);
void AddVersion(CLI::App& program, int* exit_code);
void AddCompletion(CLI::App& program, int* exit_code);

// Prints "portcullis: message" on standard error. Returns kExitError.
int PrintError(const Error& error);
int PrintError(std::string_view message);

// The bytes of a file, or of standard input for "-". ERRORS: kNotFound, kInvalidArgument (a folder, unreadable),
// kExhausted: longer than `max_bytes`.
[[nodiscard]] Result<std::string> ReadFile(const std::string& path,
                                           std::uint64_t max_bytes = std::uint64_t{1} << 30);

}  // namespace portcullis::tools
