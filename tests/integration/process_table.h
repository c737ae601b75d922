// What runs on this machine, as /proc has it: how a test knows that a process is dead or alive, and whose it is.
#ifndef RM_TESTS_INTEGRATION_PROCESS_TABLE_H_
#define RM_TESTS_INTEGRATION_PROCESS_TABLE_H_

#include <string>
#include <vector>

namespace rm::integration {

// Not ended: a zombie has ended, it only waits to be reaped.
[[nodiscard]] bool IsRunning(int pid);

// Every process of the machine (of the pid namespace that we are in).
[[nodiscard]] std::vector<int> AllPids();

// Variable `name` of a process's environment at its start; "" when unset, or the process is gone or not ours to read.
[[nodiscard]] std::string EnvironmentOf(int pid, const std::string& name);

// Words of its command line, joined by spaces.
[[nodiscard]] std::string CommandLineOf(int pid);

// Running processes whose environment holds `name=value`: children inherit it, so nothing that a test started escapes.
[[nodiscard]] std::vector<int> RunningWith(const std::string& name, const std::string& value);

// The whole content of a file; "" when it cannot be read.
[[nodiscard]] std::string ReadAll(const std::string& path);

}  // namespace rm::integration

#endif  // RM_TESTS_INTEGRATION_PROCESS_TABLE_H_
