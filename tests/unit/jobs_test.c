/* The tables of scheduled work. Runs of jobs are tested with a database. */
#include "commands/jobs.h"

#include <criterion/criterion.h>

/* A job beyond the ceiling would never run, so the program refuses to start. */
Test(jobs, a_thread_with_more_jobs_than_it_can_hold_does_not_start) {
        static struct job jobs[JOBS_MAX + 1];
        const struct job_list list = { jobs, array_size(jobs) };
        const struct jobs_settings settings = {
                .database_url = "", .schema = "holdfast", .lists = &list, .n_lists = 1
        };

        for (size_t i = 0; i < array_size(jobs); i++)
                jobs[i] = (struct job){ .thread = JOBS_TIDYING };
        cr_assert_null(jobs_start(&settings));
}

Test(jobs, the_jobs_of_the_program_fit_their_threads_twice) {
        struct job_list lists[JOB_LISTS_MAX];
        const size_t n = all_jobs(lists);
        size_t of_thread[JOB_THREADS] = { 0 };

        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < lists[i].n; j++)
                        of_thread[lists[i].jobs[j].thread]++;
        cr_assert_leq(2 * n, JOB_LISTS_MAX);
        for (enum job_thread thread = 0; thread < JOB_THREADS; thread++)
                cr_assert_leq(2 * of_thread[thread], JOBS_MAX);
}
