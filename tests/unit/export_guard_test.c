#include "exporting/guard.h"

#include "base/cleanup.h"

#include <criterion/criterion.h>
#include <string.h>

static void assert_guarded(const char *row, const char *expected) {
        char guarded[256];
        const size_t size = strlen(row);

        cr_assert_leq(guard_size_max(size), sizeof(guarded));
        memset(guarded, '#', sizeof(guarded));
        cr_assert_eq(guard_row(row, size, guarded), strlen(expected), "%s", row);
        cr_expect_arr_eq(guarded, expected, strlen(expected), "%s", row);
        cr_expect_leq(strlen(expected), guard_size_max(size), "%s", row);
}

Test(export_guard, puts_an_apostrophe_before_a_formula) {
        assert_guarded("=1,+a,-b,@c\n", "'=1,'+a,'-b,'@c\n");
        assert_guarded("\ta,b\n", "'\ta,b\n");
        assert_guarded("a,=\n", "a,'=\n");
        assert_guarded("=\n", "'=\n");
}

Test(export_guard, looks_behind_the_quotes_of_a_cell) {
        assert_guarded("\"=a,b\",c\n", "\"'=a,b\",c\n");
        assert_guarded("\"\r=a\"\n", "\"'\r=a\"\n");
        assert_guarded("\"a\"\",=b\",\"=\"\"\n\"\n", "\"a\"\",=b\",\"'=\"\"\n\"\n");
}

Test(export_guard, leaves_numbers_and_other_text_alone) {
        static const char *const rows[] = { "\n", ",\n", "a,b=c,1\n", "-3,-0.10,12.50,-9007199254740991\n",
                "\"\",\"a\n=b\"\n", "'=a\n", "\"\"\"=a\"\n" };

        for (size_t i = 0; i < array_size(rows); i++)
                assert_guarded(rows[i], rows[i]);
}

Test(export_guard, does_not_take_a_calculation_for_a_number) {
        assert_guarded("-3+4,-.5,-5.,-1.2.3,-,--1,-1e5\n", "'-3+4,'-.5,'-5.,'-1.2.3,'-,'--1,'-1e5\n");
}
