#include "base/parent_death.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/check.h"

namespace rm::base {
namespace {

pid_t g_parent = 0;  // set before each fork, in the process that forks

// In the process that forks. glibc runs fork handlers under a lock, so one number is enough.
void BeforeFork() { g_parent = ::getpid(); }

// In the child. A parent that died before the setting took effect cannot be heard of any more.
void InChild() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != g_parent) ::_exit(1);
}

}  // namespace

// Handlers cannot be taken back, and two of the same kind would be one too many.
void ForkedChildrenDieWithUs() {
  static const int installed = ::pthread_atfork(&BeforeFork, nullptr, &InChild);
  RM_CHECK(installed == 0, "pthread_atfork: ", installed);
}

}  // namespace rm::base
