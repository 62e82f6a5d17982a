-- AWS Migration Hub / Application Discovery import: one row a server, CSV; an inventory with averages and maxima
--
-- Source: AWS Application Discovery Service user guide, import template. A row is a server if it has an external id, an
-- address, a host name, or a VMware id together with that of its vCenter; all else, sizes too, may be missing. MB and KB
-- are powers of two. Columns of other names are skipped; lists are quoted and split at commas. The name is that of the
-- host, else of the VM, else the id.

-- Any list of hosts has names and addresses: the last check is met by every row, but asks for one more column in the
-- header that tells this template.
create temp table servers (
    externalid varchar,
    smbiosid varchar,
    ipaddress varchar,
    macaddress varchar,
    hostname varchar,
    vmware_morefid varchar,
    vmware_vcenterid varchar,
    vmware_vmname varchar,
    serverid varchar,
    os_name varchar,
    os_version varchar,
    cpu_numberofprocessors double check (cpu_numberofprocessors between 0 and 1e5),
    cpu_numberofcores double check (cpu_numberofcores between 0 and 1e5),
    cpu_numberoflogicalcores double check (cpu_numberoflogicalcores between 0 and 1e5),
    ram_totalsizeinmb double check (ram_totalsizeinmb between 0 and 1e9),
    ram_usedsizeinmb_avg double check (ram_usedsizeinmb_avg between 0 and 1e9),
    ram_usedsizeinmb_max double check (ram_usedsizeinmb_max between 0 and 1e9),
    cpu_usagepct_avg double check (cpu_usagepct_avg between 0 and 100),
    cpu_usagepct_max double check (cpu_usagepct_max between 0 and 100),
    diskreadsopspersecond_avg double check (diskreadsopspersecond_avg between 0 and 1e9),
    diskwritesopspersecond_avg double check (diskwritesopspersecond_avg between 0 and 1e9),
    diskreadsopspersecond_max double check (diskreadsopspersecond_max between 0 and 1e9),
    diskwritesopspersecond_max double check (diskwritesopspersecond_max between 0 and 1e9),
    networkwritespersecondinkb_avg double check (networkwritespersecondinkb_avg between 0 and 1e12),
    applications varchar,
    check (coalesce(nullif(trim(externalid), ''), nullif(trim(ipaddress, ', '), ''), nullif(trim(macaddress, ', '), ''),
        nullif(trim(hostname), ''),
        case when trim(vmware_vcenterid) <> '' then nullif(trim(vmware_morefid), '') end) is not null),
    check (coalesce(cast(cpu_numberofprocessors as varchar), cast(cpu_numberofcores as varchar),
        cast(cpu_numberoflogicalcores as varchar), cast(ram_totalsizeinmb as varchar), smbiosid, os_name, os_version,
        vmware_vmname, '') is not null)
);
comment on column servers.vmware_morefid is 'VMWare.MoRefId';
comment on column servers.diskreadsopspersecond_avg is 'DiskReadOpsPerSecond.Avg';
comment on column servers.diskwritesopspersecond_avg is 'DiskWriteOpsPerSecond.Avg';
comment on column servers.diskreadsopspersecond_max is 'DiskReadOpsPerSecond.Max';
comment on column servers.diskwritesopspersecond_max is 'DiskWriteOpsPerSecond.Max';
comment on table servers is '{"needed": true}';

create temp macro told(words) as nullif(trim(words), '');
create temp macro first_of(list) as told(split_part(trim(list, ', '), ',', 1));

-- The same server on two lines counts once.
create temp table distinct_servers as
select
    *, coalesce(told(hostname), told(vmware_vmname), told(externalid), told(serverid), first_of(ipaddress),
        first_of(macaddress), told(vmware_vcenterid) || '/' || told(vmware_morefid)) as name,
    coalesce(told(externalid), told(serverid), told(vmware_vcenterid) || '/' || told(vmware_morefid),
        first_of(ipaddress), first_of(macaddress), told(hostname)) as key
from (select distinct * from servers);

create temp table once as
select distinct on (name, key) * from distinct_servers
order by name, key, cpu_numberoflogicalcores, cpu_numberofcores, cpu_numberofprocessors, ram_totalsizeinmb,
    cpu_usagepct_avg, cpu_usagepct_max, ram_usedsizeinmb_avg, ram_usedsizeinmb_max, applications;

-- Two servers of one name are told apart by their key.
create temp table named as
select *, case when count(*) over (partition by name) = 1 then name else name || ' (' || key || ')' end as workload
from once;

insert into workloads by name
select
    $trace_id as trace_id, workload,
    case when coalesce(told(vmware_morefid), told(vmware_vmname)) is null then 'server' else 'vm' end as kind,
    first_of(applications) as application,
    nullif(coalesce(cpu_numberoflogicalcores, cpu_numberofcores, cpu_numberofprocessors), 0) as cpu_cores,
    nullif(ram_totalsizeinmb, 0) / 1024 as memory_gib,
    cpu_usagepct_avg as cpu_percent_mean, cpu_usagepct_max as cpu_percent_max,
    100 * ram_usedsizeinmb_avg / nullif(ram_totalsizeinmb, 0) as memory_percent_mean,
    100 * ram_usedsizeinmb_max / nullif(ram_totalsizeinmb, 0) as memory_percent_max,
    case when coalesce(diskreadsopspersecond_max, diskwritesopspersecond_max, diskreadsopspersecond_avg,
        diskwritesopspersecond_avg) is not null
        then coalesce(diskreadsopspersecond_max, diskreadsopspersecond_avg, 0)
            + coalesce(diskwritesopspersecond_max, diskwritesopspersecond_avg, 0) end as told_disk_iops,
    networkwritespersecondinkb_avg / 1024 as told_network_mib_per_s
from named;

insert into notes
select format('{} lines name a server that another line names; one of each counts', n)
from (select (select count(*) from servers) - (select count(*) from once) as n) where n > 0;

insert into notes
select format('an inventory without a time series: of {} servers {} tell an average and a maximum of CPU; the average is '
    'used in every hour, the maximum is planned for', count(*),
    count(*) filter (cpu_usagepct_avg is not null and cpu_usagepct_max is not null))
from once;

insert into notes
select format('{} servers have no number of cores and {} no memory: the scenario must assume them',
    count(*) filter (cpu_cores is null), count(*) filter (memory_gib is null))
from workloads where trace_id = $trace_id
having count(*) filter (cpu_cores is null or memory_gib is null) > 0;

insert into notes
select 'the import has no size of disks: storage is not in the demand' where exists (from once);
