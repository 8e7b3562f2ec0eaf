// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_HOSTS_TERMINAL_HPP
#define TWAT_MP_TEST_FAULTS_HOSTS_TERMINAL_HPP

namespace twat::mp::test {

// Programs that run as a job of a shell, in a terminal made for them.
void a_task_opens_the_terminal();
void ctrl_z_pauses_the_workers();
void killed_while_stopped();

// Such a job, which finds what it shares with its shell in the file that the environment names.
void job_opens_the_terminal();
void job_counts();

} // namespace twat::mp::test

#endif
