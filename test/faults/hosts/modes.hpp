// SPDX-License-Identifier: BSL-1.0
#ifndef TWAT_MP_TEST_FAULTS_HOSTS_MODES_HPP
#define TWAT_MP_TEST_FAULTS_HOSTS_MODES_HPP

// The behaviours of this program that have a file of their own; the others are in host.cpp.

void killed_by_the_kernel_for_memory();
void memory_locked();

// places.cpp
void started_by_the_linker();
void without_proc();
void without_dev_null();
void shared_vector_without_proc();
void memfd_create_denied();
void small_pool();

#endif
