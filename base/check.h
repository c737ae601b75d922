// RM_CHECK: what must hold unless our own code is wrong.
//
// A failed check prints file, line, the condition and a message to standard error, with a stack of return
// addresses, and aborts the process. It is never the answer to something the world did (bad input, a full disk,
// a dead peer): those are an absl::Status. Thread-safe; costs one predictable branch.
#ifndef RM_BASE_CHECK_H_
#define RM_BASE_CHECK_H_

#include <string>

#include "absl/strings/str_cat.h"

namespace rm::base {

// Prints "file:line: check failed: condition: message" and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const std::string& message);

}  // namespace rm::base

// RM_CHECK(n > 0, "n = ", n): the arguments after the condition are joined by absl::StrCat, only on failure.
#define RM_CHECK(condition, ...)                                                      \
  do {                                                                                \
    if (!(condition)) {                                                               \
      ::rm::base::CheckFailed(__FILE__, __LINE__, #condition, ::absl::StrCat(__VA_ARGS__)); \
    }                                                                                 \
  } while (false)

#endif  // RM_BASE_CHECK_H_
