// The stacks of all threads of this process, written when a signal asks for them; the process goes on.
//
//   --- stacks of process 4711, 3 threads
//   thread 4711 (ringmaster)
//     #0 0x00007f31c0e8e1a6 __poll
//     #1 0x000055d0a3c1b2f0 rm::comm::GangCommunicator::WaitUntilIdle()
//   thread 4713 (activity)
//     …
//   thread 4714 (ringmaster) does not answer: state D
//   --- end of stacks
//
// This is how a process that makes no progress tells where it stands: kill -QUIT it and read its log. The handler takes no lock,
// allocates nothing, and waits for each thread a bounded time; a thread in an uninterruptible system call, or one that blocks the
// signal, is named with its state instead. The process's first thread comes first: it is most often the one that matters. Where the
// binary has no symbols a frame is its address.
#ifndef RM_BASE_STACK_DUMP_H_
#define RM_BASE_STACK_DUMP_H_

namespace rm::base {

// How the first and the last line of a dump begin: readers of a log find it by them.
inline constexpr char kStackDumpBegin[] = "--- stacks of process";
inline constexpr char kStackDumpEnd[] = "--- end of stacks";

// From now on `signal` makes this process write its stacks to `fd`, which stays open for as long as the process lives. Each dump is
// whole before another begins; a signal during one is dropped. Call once, before there are threads that block the signal. Loads what
// unwinding needs now, since a handler must not.
void InstallStackDump(int signal, int fd);

}  // namespace rm::base

#endif  // RM_BASE_STACK_DUMP_H_
