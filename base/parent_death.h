// Processes that this one forks end when it ends, whichever way it ends.
//
// A daemon starts a process with PR_SET_PDEATHSIG, so that the kernel kills it when the daemon is gone. But the setting is not
// inherited: what that process forks in its turn would live on, holding its memory, its sockets and its device. A process that calls
// the function below passes the rule on to every process it forks, and so does each of those.
//
// What it does not reach: posix_spawn and vfork, which run no fork handlers; and a child must be forked by a thread that lives as
// long as the child may, since the rule is about threads.
#ifndef RM_BASE_PARENT_DEATH_H_
#define RM_BASE_PARENT_DEATH_H_

namespace rm::base {

// From now on, for the whole process. Calling it again does nothing more.
void ForkedChildrenDieWithUs();

}  // namespace rm::base

#endif  // RM_BASE_PARENT_DEATH_H_
