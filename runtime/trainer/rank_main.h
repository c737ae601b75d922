// The rank process: one rank of one job, started by a worker as `ringmaster rank --fd N`.
#ifndef RM_RUNTIME_TRAINER_RANK_MAIN_H_
#define RM_RUNTIME_TRAINER_RANK_MAIN_H_

namespace rm::trainer {

// Exit codes of a rank process.
inline constexpr int kRankFinished = 0;   // trained to its end, or left as asked
inline constexpr int kRankFailed = 1;     // for a reason of its own, said in a Failed message before
inline constexpr int kRankUsage = 2;      // not started by a worker
inline constexpr int kRankPeerLost = 75;  // another rank broke the collective: a consequence, not a cause

// Runs the rank to its end: RankStart → Listening → StartGeneration → Joined → training → Finished (docs: proto/rank.proto).
// SIGTERM asks for a checkpoint and leave, a second one for leaving at once; when the worker is gone the process exits.
int RankMain(int argc, char** argv);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_RANK_MAIN_H_
