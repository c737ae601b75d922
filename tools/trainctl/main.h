// The command line of Ringmaster: `trainctl`.
#ifndef RM_TOOLS_TRAINCTL_MAIN_H_
#define RM_TOOLS_TRAINCTL_MAIN_H_

namespace rm::trainctl {

// Runs the subcommand that argv names; exit codes are those of exit_code.h.
int TrainctlMain(int argc, char** argv);

}  // namespace rm::trainctl

#endif  // RM_TOOLS_TRAINCTL_MAIN_H_
