// RM_CHECK: what must hold unless our own code is wrong.
//
//   RM_CHECK(rank < world_size, "rank ", rank, " of ", world_size);
//
// A failed check prints file, line, the condition and a message to standard error, with a stack of
// return addresses, and aborts the process:
//
//   scheduler/core/core.cc:210: check failed: rank < world_size: rank 4 of 4
//     @ 0x55d0c0ffee00 rm::scheduler::Core::Step()
//
// It is never the answer to something the world did (bad input, a full disk, a dead peer): those
// are an absl::Status. Nor is it compiled out: a process that has lost its invariants must not go
// on to write a checkpoint. Thread-safe; costs one predictable branch, and the message is built
// only on failure.
#ifndef RM_BASE_CHECK_H_
#define RM_BASE_CHECK_H_

#include <string>

#include "absl/strings/str_cat.h"

namespace rm::base {

// Prints "file:line: check failed: condition: message" and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const std::string& message);

}  // namespace rm::base

// The arguments after the condition, if any, are joined by absl::StrCat. They must have no effects
// that anybody relies on: they are evaluated only on failure.
#define RM_CHECK(condition, ...)                                                            \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      ::rm::base::CheckFailed(__FILE__, __LINE__, #condition, ::absl::StrCat(__VA_ARGS__)); \
    }                                                                                       \
  } while (false)

#endif  // RM_BASE_CHECK_H_
