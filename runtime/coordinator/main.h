// The program ringmaster-coordinator.
#ifndef RM_RUNTIME_COORDINATOR_MAIN_H_
#define RM_RUNTIME_COORDINATOR_MAIN_H_

namespace rm::coordinator {

// Serves until SIGTERM or SIGINT, which stop it cleanly (0); jobs go on. argv[0] is the name that
// help shows. 1: it could not start, or its journal has failed; 2: a mistake on the command line.
// Errors are one line on standard error. Blocks both signals in every thread of the process.
int CoordinatorMain(int argc, char** argv);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_MAIN_H_
