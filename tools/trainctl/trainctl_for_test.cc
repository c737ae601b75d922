// trainctl as a process of its own, for tests of what only a process can show: signals, pipes and
// what is left behind.
#include "tools/trainctl/main.h"

int main(int argc, char** argv) { return rm::trainctl::TrainctlMain(argc, argv); }
