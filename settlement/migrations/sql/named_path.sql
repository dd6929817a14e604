-- Every function that asks a table names where it looks. A session may have tables of its own, and
-- they come before those of the books in its path; a guard that found one would ask the wrong table.
DO $$
DECLARE
    found regprocedure;
BEGIN
    FOR found IN
        SELECT f.oid::regprocedure
          FROM pg_proc f
          JOIN pg_language l ON l.oid = f.prolang
         WHERE f.pronamespace = 'public'::regnamespace
           AND l.lanname IN ('plpgsql', 'sql')
           AND NOT coalesce(array_to_string(f.proconfig, ' '), '') ~ 'search_path='
           AND NOT EXISTS (
               SELECT FROM pg_depend d
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
           -- Runs for every entry, and asks no table.
           AND f.proname <> 'ledger_stamp_entry'
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', found);
    END LOOP;
END $$;
